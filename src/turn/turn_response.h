// SPDX-License-Identifier: Apache-2.0
// Responses: what each has in common, around the attributes that a method adds.
//
// An unproven request may bear a forged address. So the response to one is withheld when it would
// have more than max_amplification times the request's bytes, reason phrase left out.
#pragma once

#include <stdint.h>

#include "base/now.h"
#include "stun/stun_error.h"
#include "stun/stun_header.h"
#include "stun/stun_message.h"
#include "stun/stun_writer.h"
#include "turn/turn_command.h"
#include "turn/turn_key.h"

struct turn_server;

// With what a response is signed: as its request was.
enum turn_response_proof {
    TURN_RESPONSE_UNSIGNED,
    TURN_RESPONSE_SHA1,   // MESSAGE-INTEGRITY
    TURN_RESPONSE_SHA256, // MESSAGE-INTEGRITY-SHA256
};

// All that a response needs to know of its request.
struct turn_response_to {
    struct turn_tuple tuple;
    struct stun_transaction transaction;
    uint16_t method;
    uint16_t request_len;           // bytes
    bool has_fingerprint;           // then so has the response (RFC 8489 section 7)
    bool is_proven;                 // the request came from where it says
    enum turn_response_proof proof; // may be signed though nothing is proven: turn_manner.h
    struct turn_key key;            // of `proof`
    struct bytes realm;             // of challenges; static or the server's
};

struct turn_response {
    struct stun_writer writer; // attributes go to writer.wr
    const struct turn_response_to *to;
    enum stun_error_code code;
};

// Begins a success response in the outbox.
struct turn_response turn_response_begin(struct turn_server *server,
                                         const struct turn_response_to *to);
// Adds what every response ends with, and orders it sent or withholds it.
void turn_response_end(struct turn_server *server, struct turn_response *response);

// Sends an error response.
void turn_response_error(struct turn_server *server, const struct turn_response_to *to,
                         enum stun_error_code code);
// Sends 401 or 438 with the realm, a fresh nonce for the client, and what algorithms we offer.
void turn_response_challenge(struct turn_server *server, const struct turn_response_to *to,
                             struct now now, enum stun_error_code code);
// Sends 420 with the list of what is unknown.
void turn_response_unknown(struct turn_server *server, const struct turn_response_to *to,
                           const struct stun_message *message);
