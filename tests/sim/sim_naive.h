// SPDX-License-Identifier: Apache-2.0
// A reading of STUN messages that shares nothing with src/stun, for the oracle and the judge.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

enum { SIM_NAIVE_ATTR_MAX = 512, SIM_NAIVE_UNKNOWN_MAX = 8 };

enum sim_naive_outcome {
    SIM_NAIVE_NONE, // not STUN, or damaged: to be dropped
    SIM_NAIVE_BAD,  // a header, but an attribute of a length that it cannot have
    SIM_NAIVE_GOOD,
};

enum sim_naive_class {
    SIM_NAIVE_REQUEST,
    SIM_NAIVE_INDICATION,
    SIM_NAIVE_SUCCESS,
    SIM_NAIVE_ERROR
};

struct sim_naive_attr {
    unsigned type;
    size_t at; // offset of its head in the message
    struct bytes value;
};

struct sim_naive {
    struct bytes whole;
    unsigned method;
    enum sim_naive_class class;
    const uint8_t *transaction;                      // 12 bytes
    struct sim_naive_attr attrs[SIM_NAIVE_ATTR_MAX]; // those that count, in order
    size_t attr_count;
    unsigned unknown[SIM_NAIVE_UNKNOWN_MAX]; // must be understood, and are not
    size_t unknown_count;
};

enum sim_naive_outcome sim_naive_read(struct bytes datagram, struct sim_naive *out);

// The first attribute of a type, or NULL.
const struct sim_naive_attr *sim_naive_find(const struct sim_naive *message, unsigned type);

// A number of `len` bytes at the start of a value.
uint32_t sim_naive_number(const struct sim_naive_attr *attr, size_t len);
// An XOR'd address. False when its family or its length is wrong.
bool sim_naive_addr(const struct sim_naive *message, const struct sim_naive_attr *attr,
                    struct addr *out);

struct sim_naive_key {
    size_t len;
    uint8_t bytes[32];
};

// The key of the long-term mechanism, by MD5 or by SHA-256.
struct sim_naive_key sim_naive_key(bool is_sha256, struct bytes user, struct bytes realm,
                                   struct bytes password);

enum sim_naive_proof {
    SIM_NAIVE_UNSIGNED,
    SIM_NAIVE_SHA1,   // MESSAGE-INTEGRITY
    SIM_NAIVE_SHA256, // MESSAGE-INTEGRITY-SHA256
};

// Which proof a message has; of two, the stronger one.
enum sim_naive_proof sim_naive_proof(const struct sim_naive *message);
// That proof is right for a key.
bool sim_naive_is_intact(const struct sim_naive *message, const struct sim_naive_key *key);
