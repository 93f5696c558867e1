// SPDX-License-Identifier: Apache-2.0
// What this process takes of the system.
#pragma once

#include <stdint.h>

#include "base/macro.h"

// All fields are uint64_t. What the system does not tell is 0.
struct io_process {
    uint64_t cpu_ns;       // of all threads, in user and kernel mode
    uint64_t resident_len; // bytes
    uint64_t virtual_len;  // bytes
    uint64_t descriptors;  // that are open
    uint64_t descriptors_max;
    uint64_t threads;
    uint64_t start_s; // Unix time
};

struct io_process io_process_read(void);
