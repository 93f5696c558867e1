// SPDX-License-Identifier: Apache-2.0
// Both clocks of the system.
#pragma once

#include "base/now.h"

// CLOCK_MONOTONIC and CLOCK_REALTIME. Cannot fail.
struct now io_clock_now(void);
