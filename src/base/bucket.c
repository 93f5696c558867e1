// SPDX-License-Identifier: Apache-2.0
#include "base/bucket.h"

#include <assert.h>

#include "base/now.h"

#define SECOND (SECOND_NS * BUCKET_UNITS_PER_NS)

_Static_assert(UINT64_MAX / (SECOND * BUCKET_PARTS_PER_UNIT) > UINT16_MAX,
               "the time of so many tokens can be computed at one a second");

// Rounded down, here and in time_of(), so that a second's worth fits into a second.
struct bucket_rate bucket_rate_of(uint64_t tokens)
{
    struct bucket_rate rate = {.tokens = tokens};

    assert(tokens <= BUCKET_RATE_MAX);
    if (tokens > 0) {
        rate.token_time = SECOND * BUCKET_PARTS_PER_UNIT / tokens;
    }
    return rate;
}

static uint64_t time_of(const struct bucket_rate *rate, uint64_t tokens)
{
    assert(tokens <= UINT16_MAX || tokens <= rate->tokens);
    return tokens * rate->token_time / BUCKET_PARTS_PER_UNIT;
}

static uint64_t units_of(uint64_t now_ns)
{
    assert(now_ns <= UINT64_MAX / BUCKET_UNITS_PER_NS);
    return now_ns * BUCKET_UNITS_PER_NS;
}

// How long it takes until it is full.
static uint64_t missing(const struct bucket *bucket, uint64_t now)
{
    return bucket->full_at > now ? bucket->full_at - now : 0;
}

bool bucket_has(const struct bucket *bucket, const struct bucket_rate *rate, uint64_t now_ns,
                uint64_t tokens)
{
    if (rate->tokens == 0) {
        return true;
    }
    uint64_t gone = missing(bucket, units_of(now_ns));
    return gone == 0 || gone + time_of(rate, tokens) <= SECOND;
}

void bucket_take(struct bucket *bucket, const struct bucket_rate *rate, uint64_t now_ns,
                 uint64_t tokens)
{
    if (rate->tokens == 0) {
        return;
    }
    uint64_t now = units_of(now_ns);
    bucket->full_at = now + missing(bucket, now) + time_of(rate, tokens);
}

void bucket_drain(struct bucket *bucket, const struct bucket_rate *rate, uint64_t now_ns,
                  uint64_t tokens)
{
    if (rate->tokens == 0) {
        return;
    }
    uint64_t now = units_of(now_ns);
    uint64_t gone = missing(bucket, now) + time_of(rate, tokens);
    bucket->full_at = now + (gone < SECOND ? gone : SECOND);
}
