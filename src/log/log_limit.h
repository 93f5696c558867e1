// SPDX-License-Identifier: Apache-2.0
// A limit on how often one call site may write, for messages that a stranger can cause.
//
// A token bucket kept as one number, the time at which it is full again, so that several threads
// share it without a lock. Declare it static beside its call; see LOG_LIMITED in log.h.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "base/now.h"

struct log_limit {
    uint64_t interval_ns; // one token comes back in this time
    uint32_t burst;       // tokens of a full bucket, 1 or more
    _Atomic uint64_t full_at_ns;
    _Atomic uint64_t suppressed_count; // lines held back since the last one that passed
};

// Ten lines at once, then one a second.
#define LOG_LIMIT_DEFAULT                                                                          \
    {                                                                                              \
        .interval_ns = SECOND_NS, .burst = 10                                                      \
    }

// Takes a token. True: the line may be written, and *suppressed_count says how many were held
// back before it. False: it may not, and it was counted.
MUST_USE bool log_limit_take(struct log_limit *limit, uint64_t mono_ns, uint64_t *suppressed_count);
