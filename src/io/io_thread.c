// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_thread.h"

#include <assert.h>
#include <signal.h>
#include <time.h>

int io_thread_start(struct io_thread *thread, const char *name, void *(*fn)(void *context),
                    void *context)
{
    sigset_t all;
    sigset_t before;

    assert(!thread->is_running);
    sigfillset(&all);
    int error = pthread_sigmask(SIG_SETMASK, &all, &before);
    if (error == 0) {
        error = pthread_create(&thread->id, NULL, fn, context);
        IGNORE(pthread_sigmask(SIG_SETMASK, &before, NULL)); // it takes what it has given
    }
    if (error != 0) {
        return -error;
    }
    thread->is_running = true;
    IGNORE(pthread_setname_np(thread->id, name)); // it does its work without a name too
    return 0;
}

void io_thread_join(struct io_thread *thread)
{
    if (thread->is_running) {
        const int error = pthread_join(thread->id, NULL);
        assert(error == 0); // it is there, and nobody else joins it
        thread->is_running = false;
    }
}

int io_thread_join_within(struct io_thread *thread, uint32_t seconds)
{
    struct timespec end = {0};

    if (!thread->is_running) {
        return 0;
    }
    IGNORE(clock_gettime(CLOCK_MONOTONIC, &end)); // it exists on every Linux
    end.tv_sec += (time_t)seconds;
    thread->is_running = false;
    return -pthread_clockjoin_np(thread->id, NULL, CLOCK_MONOTONIC, &end);
}
