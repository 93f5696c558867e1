// SPDX-License-Identifier: Apache-2.0
#include "support/rng.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

uint64_t rng_seed(const char *name)
{
    const char *text = getenv("FAIRLEAD_SEED");
    uint64_t seed = 0;

    if (text != NULL) {
        char *end = NULL;
        seed = strtoull(text, &end, 0);
        assert(end != text);
        assert(*end == '\0');
    } else {
        ssize_t len = getrandom(&seed, sizeof seed, 0);
        assert(len == (ssize_t)sizeof seed);
    }
    fprintf(stderr, "%s: FAIRLEAD_SEED=0x%016" PRIx64 "\n", name, seed);
    return seed;
}

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

struct rng rng_init(uint64_t seed)
{
    struct rng rng;

    for (size_t i = 0; i < 4; i++) {
        rng.s[i] = splitmix64(&seed);
    }
    return rng;
}

static uint64_t rotate(uint64_t value, unsigned by)
{
    return value << by | value >> (64 - by);
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t shifted = s[1] << 17;

    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    assert(bound > 0);
    // What lies below `uneven` would favour the small results, so it is drawn again.
    uint64_t uneven = (0 - bound) % bound;
    uint64_t value = rng_next(rng);

    while (value < uneven) {
        value = rng_next(rng);
    }
    return value % bound;
}

bool rng_chance(struct rng *rng, unsigned percent)
{
    return rng_below(rng, 100) < percent;
}

void rng_fill(struct rng *rng, uint8_t *to, size_t len)
{
    uint64_t word = 0;

    for (size_t i = 0; i < len; i++) {
        word = i % sizeof word == 0 ? rng_next(rng) : word >> 8;
        to[i] = (uint8_t)word;
    }
}
