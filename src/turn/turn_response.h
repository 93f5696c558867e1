// SPDX-License-Identifier: Apache-2.0
// Responses: what each has in common, around the attributes that a method adds.
#pragma once

#include <stdint.h>

#include "base/now.h"
#include "stun/stun_error.h"
#include "stun/stun_header.h"
#include "stun/stun_key.h"
#include "stun/stun_message.h"
#include "stun/stun_writer.h"
#include "turn/turn_command.h"

struct turn_server;

// All that a response needs to know of its request.
struct turn_response_to {
    struct turn_tuple tuple;
    struct stun_transaction transaction;
    uint16_t method;
    bool has_fingerprint;      // then so has the response (RFC 8489 section 7)
    bool is_signed;            // the request's integrity was right: the response is signed too
    uint8_t key[STUN_KEY_LEN]; // with this key
};

struct turn_response {
    struct stun_writer writer; // attributes go to writer.wr
    const struct turn_response_to *to;
};

// Begins a success response in the outbox.
struct turn_response turn_response_begin(struct turn_server *server,
                                         const struct turn_response_to *to);
// Adds what every response ends with, and orders it sent.
void turn_response_end(struct turn_server *server, struct turn_response *response);

// Sends an error response.
void turn_response_error(struct turn_server *server, const struct turn_response_to *to,
                         enum stun_error_code code);
// Sends 401 or 438 with the realm and a fresh nonce for the client.
void turn_response_challenge(struct turn_server *server, const struct turn_response_to *to,
                             struct now now, enum stun_error_code code);
// Sends 420 with the list of what is unknown.
void turn_response_unknown(struct turn_server *server, const struct turn_response_to *to,
                           const struct stun_message *message);
