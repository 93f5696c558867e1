// SPDX-License-Identifier: Apache-2.0
// How many CPUs this process may run on.
#pragma once

#include <stdint.h>

// At least 1. What a cgroup grants of their time is not looked at.
uint32_t io_cpu_count(void);
