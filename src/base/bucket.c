// SPDX-License-Identifier: Apache-2.0
#include "base/bucket.h"

#include <assert.h>

#include "base/now.h"

#define SECOND (SECOND_NS * BUCKET_UNITS_PER_NS)

_Static_assert(UINT64_MAX / (SECOND * BUCKET_PARTS_PER_UNIT) > UINT16_MAX,
               "the time of so many tokens can be computed at one a second");
_Static_assert(UINT64_MAX / (SECOND * BUCKET_PARTS_PER_UNIT) > BUCKET_SECONDS_MAX,
               "so can that of one in so many seconds");

// Rounded down, here and in time_of(), so that a second's worth fits into a second.
struct bucket_rate bucket_rate_in(uint64_t tokens, uint32_t seconds)
{
    assert(tokens <= BUCKET_RATE_MAX);
    assert(seconds >= 1);
    assert(seconds <= BUCKET_SECONDS_MAX);
    if (tokens == 0) {
        return (struct bucket_rate){0};
    }
    const uint64_t whole = tokens / seconds;
    const uint64_t datagram = UINT16_MAX / seconds;
    return (struct bucket_rate){
        .tokens = whole > 0 ? whole : 1,
        .token_time = SECOND * BUCKET_PARTS_PER_UNIT * seconds / tokens,
        .asked_max = whole > datagram ? whole : datagram,
    };
}

struct bucket_rate bucket_rate_of(uint64_t tokens)
{
    return bucket_rate_in(tokens, 1);
}

static uint64_t time_of(const struct bucket_rate *rate, uint64_t tokens)
{
    assert(tokens <= rate->asked_max);
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

uint64_t bucket_debt_ns(const struct bucket *bucket, uint64_t now_ns)
{
    const uint64_t gone = missing(bucket, units_of(now_ns));

    return gone > SECOND ? (gone - SECOND + BUCKET_UNITS_PER_NS - 1) / BUCKET_UNITS_PER_NS : 0;
}

void bucket_drain(struct bucket *bucket, const struct bucket_rate *rate, uint64_t now_ns,
                  uint64_t tokens)
{
    if (rate->tokens == 0) {
        return;
    }
    uint64_t now = units_of(now_ns);
    uint64_t gone = missing(bucket, now) + time_of(rate, tokens);
    assert(rate->token_time <= SECOND * BUCKET_PARTS_PER_UNIT);
    bucket->full_at = now + (gone < SECOND ? gone : SECOND);
}
