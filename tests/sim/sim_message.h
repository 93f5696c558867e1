// SPDX-License-Identifier: Apache-2.0
// Writes a client's messages, by the room stun.
#pragma once

#include "stun/stun_attr.h"
#include "stun/stun_password.h"
#include "stun/stun_writer.h"
#include "support/rng.h"

enum { SIM_MESSAGE_MAX = 1600 };

struct sim_message {
    uint8_t bytes[SIM_MESSAGE_MAX];
    struct stun_header header;
    struct stun_writer writer; // attributes go to writer.wr
};

// How a request proves who sent it; a span without ptr is left out.
struct sim_message_proof {
    struct bytes user;
    struct bytes password; // also without USERNAME
    struct bytes realm;
    struct bytes nonce;
    struct bytes offer;                     // PASSWORD-ALGORITHMS
    bool has_choice;                        // PASSWORD-ALGORITHM is there
    enum stun_password_algorithm algorithm; // of the key
    bool is_hashed;                         // USERHASH in place of USERNAME
    bool has_sha1;                          // MESSAGE-INTEGRITY
    bool has_sha256;                        // MESSAGE-INTEGRITY-SHA256, behind the former
};

void sim_message_begin(struct sim_message *message, struct rng *rng, enum stun_class class,
                       enum stun_method method);
// Adds what the proof has, the integrity last.
void sim_message_prove(struct sim_message *message, const struct sim_message_proof *proof);
struct bytes sim_message_end(struct sim_message *message, bool has_fingerprint);
