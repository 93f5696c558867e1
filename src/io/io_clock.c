// SPDX-License-Identifier: Apache-2.0
#include "io/io_clock.h"

#include <assert.h>
#include <time.h>

struct now io_clock_now(void)
{
    struct timespec mono = {0};
    struct timespec wall = {0};

    const int mono_result = clock_gettime(CLOCK_MONOTONIC, &mono);
    assert(mono_result == 0);
    const int wall_result = clock_gettime(CLOCK_REALTIME, &wall);
    assert(wall_result == 0);
    return (struct now){
        .mono_ns = (uint64_t)mono.tv_sec * SECOND_NS + (uint64_t)mono.tv_nsec,
        .wall_s = wall.tv_sec,
    };
}
