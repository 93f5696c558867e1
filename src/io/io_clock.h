// SPDX-License-Identifier: Apache-2.0
// Both clocks of the system.
#pragma once

#include "base/now.h"

// CLOCK_MONOTONIC and CLOCK_REALTIME, whose second may begin some milliseconds late, as time(2)'s
// does: that is cheaper, and all that a wall clock in seconds can tell. Cannot fail.
struct now io_clock_now(void);

// The first of the two alone.
uint64_t io_clock_mono_ns(void);
