// SPDX-License-Identifier: Apache-2.0
// SipHash-2-4: a short keyed hash, so that strangers cannot choose keys that collide in a table.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

enum { SIPHASH_KEY_LEN = 16 }; // bytes

struct siphash_key {
    uint64_t k0, k1;
};

// From 16 random bytes (little-endian words, as in the paper by Aumasson and Bernstein).
struct siphash_key siphash_key_read(const uint8_t bytes[SIPHASH_KEY_LEN]);

uint64_t siphash(const struct siphash_key *key, struct bytes span);
