// SPDX-License-Identifier: Apache-2.0
// A cryptographically secure generator, deterministic from its seed: ChaCha20 with key erasure.
//
// Each refill takes one stretch of the key stream, of which the first 32 bytes become the next
// key, so what was handed out cannot be found again from the state.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

enum {
    CRYPTO_RANDOM_SEED_LEN = 32,   // bytes
    CRYPTO_RANDOM_STOCK_LEN = 256, // bytes of key stream made at a time, the next key included
};

struct crypto_random {
    uint8_t stock[CRYPTO_RANDOM_STOCK_LEN]; // the next key, then what is not handed out yet
    size_t left;                            // bytes at the end of `stock` not handed out yet
};

void crypto_random_init(struct crypto_random *random, const uint8_t seed[CRYPTO_RANDOM_SEED_LEN]);

void crypto_random_fill(struct crypto_random *random, uint8_t *to, size_t len);

// A number from 0 to limit - 1, each equally likely (limit at least 1).
uint32_t crypto_random_below(struct crypto_random *random, uint32_t limit);
