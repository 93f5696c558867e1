// SPDX-License-Identifier: Apache-2.0
// The key with which a user's requests and the responses to them are proven.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "stun/stun_key.h"
#include "stun/stun_password.h"

struct turn_key {
    uint8_t len; // STUN_KEY_LEN or STUN_KEY_SHA256_LEN, by the password algorithm
    uint8_t bytes[STUN_KEY_SHA256_LEN];
};

// A user's keys for both password algorithms.
struct turn_key_pair {
    struct turn_key md5;
    struct turn_key sha256;
};

// The key of a password (RFC 8489 section 9.2.2).
struct turn_key turn_key_make(enum stun_password_algorithm algorithm, struct bytes username,
                              struct bytes realm, struct bytes password);

// Borrows from `key`.
struct bytes turn_key_bytes(const struct turn_key *key);
