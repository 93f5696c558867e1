// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_condition.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/now.h"
#include "io/io_clock.h"

#define SLICE_NS (IO_CONDITION_SLICE_MS * (SECOND_NS / 1000))

void io_condition_init(pthread_cond_t *out)
{
    pthread_condattr_t attributes;
    int error = pthread_condattr_init(&attributes);

    assert(error == 0);
    error = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    assert(error == 0);
    error = pthread_cond_init(out, &attributes);
    assert(error == 0);                            // Linux needs nothing for it
    IGNORE(pthread_condattr_destroy(&attributes)); // it holds nothing
}

void io_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t *left_ns)
{
    const uint64_t most_ns = *left_ns < SLICE_NS ? *left_ns : SLICE_NS;
    const uint64_t begun_ns = io_clock_mono_ns();
    const uint64_t end_ns = begun_ns + most_ns;
    const struct timespec end = {
        .tv_sec = (time_t)(end_ns / SECOND_NS),
        .tv_nsec = (long)(end_ns % SECOND_NS),
    };

    if (most_ns == 0) {
        return;
    }
    const int error = pthread_cond_timedwait(condition, lock, &end);
    assert(error == 0 || error == ETIMEDOUT);
    const uint64_t waited_ns = io_clock_mono_ns() - begun_ns;
    *left_ns -= error == ETIMEDOUT || waited_ns > most_ns ? most_ns : waited_ns;
}
