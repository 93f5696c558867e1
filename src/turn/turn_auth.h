// SPDX-License-Identifier: Apache-2.0
// Whether a request comes from whom it says (RFC 8489 section 9.2.4).
#pragma once

#include "turn/turn_request.h"

struct turn_server;

enum turn_auth_outcome {
    TURN_AUTH_PROVEN,     // the request has its user and key
    TURN_AUTH_ABSENT,     // 401: the client does not know realm and nonce yet
    TURN_AUTH_INCOMPLETE, // 400: parts of the proof are missing, or contradict what was offered
    TURN_AUTH_STALE,      // 438: the nonce is not ours, not this client's, or too old
    TURN_AUTH_WRONG,      // 401: no such user, wrong password, or a credential that is over
    TURN_AUTH_UNREADABLE, // no answer: Firezone's manner has none for such a username
};

// The request claims to be from somebody: it has a proof of integrity, right or wrong.
bool turn_auth_is_claim(const struct stun_message *message);

// A claim has a nonce that is good for the client's address: whoever sent it has received there.
MUST_USE bool turn_auth_is_certain(struct turn_server *server, const struct turn_request *request);

// Finds the manner of a request, whose is_client_certain is set, and checks its proof. With
// TURN_AUTH_PROVEN it sets username, user, and what the response is signed with; in Firezone's
// manner the latter with other outcomes too, whenever a key can be told. With TURN_AUTH_WRONG and
// _UNREADABLE it sets what a report is to say: username and doubt. A user who does not exist costs
// the same work as a wrong password.
MUST_USE enum turn_auth_outcome turn_auth_check(struct turn_server *server,
                                                struct turn_request *request);
