// SPDX-License-Identifier: Apache-2.0
// Which worlds a simulation is told to live through.
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct seeds {
    uint64_t first;
    uint64_t count; // not 0
    bool is_verbose;
};

// As the command line says; by default so many from seed 1 on. Ends the program with its usage when
// that is asked for, or when the command line is wrong.
struct seeds seeds_of(int argc, char **argv, uint64_t default_count);
