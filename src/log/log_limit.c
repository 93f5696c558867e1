// SPDX-License-Identifier: Apache-2.0
#include "log/log_limit.h"

#include <assert.h>

// Tokens are counted in time: each one taken moves the moment at which the bucket is full again by
// one interval, and the bucket is empty when that moment is `burst` intervals away.

enum { TRY_MAX = 16 }; // lost races with other threads before the line counts as one too many

bool log_limit_take(struct log_limit *limit, uint64_t mono_ns, uint64_t *suppressed_count)
{
    assert(limit->burst >= 1);
    assert(limit->interval_ns <= UINT64_MAX / 4 / limit->burst);
    const uint64_t depth_ns = limit->interval_ns * limit->burst;
    uint64_t full_at_ns = atomic_load_explicit(&limit->full_at_ns, memory_order_relaxed);

    for (int try = 0; try < TRY_MAX; try++) {
        const uint64_t from_ns = full_at_ns > mono_ns ? full_at_ns : mono_ns;
        const uint64_t next_ns = from_ns + limit->interval_ns;

        if (next_ns - mono_ns > depth_ns) {
            break;
        }
        if (atomic_compare_exchange_weak_explicit(&limit->full_at_ns, &full_at_ns, next_ns,
                                                  memory_order_relaxed, memory_order_relaxed)) {
            *suppressed_count =
                atomic_exchange_explicit(&limit->suppressed_count, 0, memory_order_relaxed);
            return true;
        }
    }
    atomic_fetch_add_explicit(&limit->suppressed_count, 1, memory_order_relaxed);
    return false;
}
