// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Buckets of tokens, as in the relay's base/bucket.h, kept as the moment at which they will be full
// again, but several CPUs take from one. When they look at once, each may find room for one packet
// more than there is; all that is taken is counted.
#pragma once

#include <linux/types.h>
#include <stdbool.h>

#include "uapi/relay_abi.h"

// What takes so much time may be taken: it is there, or the bucket is full.
static inline bool rate_has(const __u64 *full_at, __u64 now, __u64 time)
{
    const __u64 until = *(const volatile __u64 *)full_at;
    const __u64 gone = until > now ? until - now : 0;

    return gone == 0 || gone + time <= RELAY_ABI_SECOND_UNITS;
}

static inline void rate_take(__u64 *full_at, __u64 now, __u64 time)
{
    const __u64 until = *(const volatile __u64 *)full_at;
    const __u64 begin = until > now ? until : now;

    if (__sync_val_compare_and_swap(full_at, until, begin + time) != until) {
        // Another CPU has moved it on, beyond now: this one's share is added to that.
        __sync_fetch_and_add(full_at, time);
    }
}
