// SPDX-License-Identifier: Apache-2.0
// A small seeded random generator (xoshiro256**), for everything random in the tests.
//
// Not for secrets. The same seed gives the same numbers on every machine, so a failing seed can
// become a test: pass it to rng_init, or run the program again with FAIRLEAD_SEED=0x...
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

// The seed for one program or test: FAIRLEAD_SEED when that is set, else a fresh one from the
// system. Prints it on stderr as "NAME: FAIRLEAD_SEED=0x...".
uint64_t rng_seed(const char *name);

// Any seed will do, 0 too (it is spread by splitmix64).
struct rng rng_init(uint64_t seed);

uint64_t rng_next(struct rng *rng);
// From 0 to bound - 1, evenly; the bound is at least 1.
uint64_t rng_below(struct rng *rng, uint64_t bound);
// True in `percent` of a hundred cases.
bool rng_chance(struct rng *rng, unsigned percent);
void rng_fill(struct rng *rng, uint8_t *to, size_t len);
