// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_condition.h"

#include <assert.h>
#include <errno.h>
#include <time.h>

#include "base/now.h"

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

bool io_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t end_ns)
{
    const struct timespec end = {
        .tv_sec = (time_t)(end_ns / SECOND_NS),
        .tv_nsec = (long)(end_ns % SECOND_NS),
    };
    const int error = pthread_cond_timedwait(condition, lock, &end);

    assert(error == 0 || error == ETIMEDOUT);
    return error == 0;
}
