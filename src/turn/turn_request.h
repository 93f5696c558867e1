// SPDX-License-Identifier: Apache-2.0
// A request on its way through the server: read, authenticated, handed to its method.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/now.h"
#include "stun/stun_error.h"
#include "stun/stun_message.h"
#include "turn/turn_manner.h"
#include "turn/turn_refusal.h"
#include "turn/turn_response.h"

struct turn_server;

struct turn_request {
    struct now now;
    const struct stun_message *message;
    struct turn_response_to to;
    const struct turn_manner *manner;
    struct bytes username;   // borrowed from the datagram or the credentials; empty: no such user
    uint64_t user;           // the username's keyed hash
    uint32_t allocation;     // the client's, or POOL_NONE
    bool is_client_certain;  // it claims to be somebody, with a nonce that was made for its address
    enum turn_refusal doubt; // of who is not proven: why not
};

// Answers a request, or drops it. `message` has been read from the datagram with the outcome
// STUN_MESSAGE_OK, or STUN_MESSAGE_BAD_VALUE (`is_readable` false), which is answered by 400.
void turn_request_handle(struct turn_server *server, struct now now, const struct turn_tuple *tuple,
                         const struct stun_message *message, bool is_readable);

// What methods have in common -------------------------------------------------------------------

// Sends a success response that adds nothing.
void turn_request_succeed(struct turn_server *server, const struct turn_request *request);

// Counts and reports why a request is refused; `peer` is NULL where the reason is about none.
void turn_request_refuse(struct turn_server *server, const struct turn_request *request,
                         enum turn_refusal refusal, const struct addr *peer);

// The lifetime to grant for the LIFETIME in a request, which is 0 only if 0 is asked for.
// False when the attribute is malformed.
MUST_USE bool turn_request_lifetime(const struct turn_server *server,
                                    const struct turn_request *request, uint32_t *lifetime_s);

// The family in REQUESTED-ADDRESS-FAMILY, ADDR_NONE if it is absent. False when it is neither.
MUST_USE bool turn_request_family(const struct turn_request *request, enum addr_family *family);

// Reads a peer from the value of XOR-PEER-ADDRESS and judges it for the request's allocation: 400
// when it is malformed, 443 when its family is not the allocation's, 403 when it is denied.
MUST_USE enum stun_error_code turn_request_peer(struct turn_server *server,
                                                const struct turn_request *request,
                                                struct bytes value, struct addr *out);
