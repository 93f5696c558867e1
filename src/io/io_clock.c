// SPDX-License-Identifier: Apache-2.0
#include "io/io_clock.h"

#include <assert.h>
#include <time.h>

uint64_t io_clock_mono_ns(void)
{
    struct timespec mono = {0};

    const int result = clock_gettime(CLOCK_MONOTONIC, &mono);
    assert(result == 0);
    return (uint64_t)mono.tv_sec * SECOND_NS + (uint64_t)mono.tv_nsec;
}

struct now io_clock_now(void)
{
    struct timespec wall = {0};

    const int result = clock_gettime(CLOCK_REALTIME_COARSE, &wall);
    assert(result == 0);
    return (struct now){.mono_ns = io_clock_mono_ns(), .wall_s = wall.tv_sec};
}
