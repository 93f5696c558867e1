// SPDX-License-Identifier: Apache-2.0
// Both clocks, read once at the door of a program's turn and passed down by value.
#pragma once

#include <stdint.h>

struct now {
    uint64_t mono_ns; // monotonic, for every interval and deadline
    int64_t wall_s;   // Unix time, only for credentials that carry a date
};

#define NEVER UINT64_MAX // a deadline that does not come
#define SECOND_NS UINT64_C(1000000000)
