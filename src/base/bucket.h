// SPDX-License-Identifier: Apache-2.0
// A token bucket: how much of something may be used in a second, with a second's worth at once.
//
// It is kept as the one moment at which it will be full again (the generic cell rate algorithm of
// ITU-T I.371): every token taken moves that moment on by a token's time, and how far ahead it lies
// is how much is missing. Nothing ticks, and nothing is rounded but that time, down by less than
// two sixteenths of a nanosecond each time: whoever never stops gets what the rate says. A bucket
// that was never used, all zero, is full.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

enum {
    BUCKET_UNITS_PER_NS = 16, // so that 64 bits last for 36 years of a clock
    BUCKET_PARTS_PER_UNIT = 4096,
    BUCKET_SECONDS_MAX = 1024,
};

#define BUCKET_RATE_MAX UINT64_C(100000000000) // tokens a second

struct bucket {
    uint64_t full_at; // in units of the monotonic clock
};

// How fast a bucket fills.
struct bucket_rate {
    uint64_t tokens;     // a whole second's, and at once, or 1 if it has less; 0: there is no limit
    uint64_t token_time; // in parts of a unit
    uint64_t asked_max;  // tokens that may be asked for at once
};

// Up to BUCKET_RATE_MAX tokens a second; 0: no limit.
struct bucket_rate bucket_rate_of(uint64_t tokens);
// So many in so many seconds, 1 to BUCKET_SECONDS_MAX: a part of the rate that several buckets have
// together. It may be less than one a second.
struct bucket_rate bucket_rate_in(uint64_t tokens, uint32_t seconds);

// There are so many tokens in it, or it is full: what is more than a second's worth must wait for
// that. Always, without a limit. At most as many are asked for as a second has, or UINT16_MAX of a
// rate that is given for one second.
MUST_USE bool bucket_has(const struct bucket *bucket, const struct bucket_rate *rate,
                         uint64_t now_ns, uint64_t tokens);

// Takes tokens, whether there are so many or not: what is missing is paid off later.
void bucket_take(struct bucket *bucket, const struct bucket_rate *rate, uint64_t now_ns,
                 uint64_t tokens);

// How long it takes until what was taken beyond a second's worth is paid off; 0: nothing was.
uint64_t bucket_debt_ns(const struct bucket *bucket, uint64_t now_ns);

// Takes tokens, or all that there are: nothing is left to be paid off. The rate has one a second at
// least.
void bucket_drain(struct bucket *bucket, const struct bucket_rate *rate, uint64_t now_ns,
                  uint64_t tokens);
