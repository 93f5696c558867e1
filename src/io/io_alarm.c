// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_alarm.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// Read by the handler; set before there can be a signal.
static const char *last_line;

// Only what may be called at any moment (signal-safety(7)): whoever hangs may hold any lock.
static void end(int number)
{
    (void)number;
    // Nobody is left to hear that it failed.
    IGNORE(write(STDERR_FILENO, last_line, strlen(last_line)));
    _exit(EXIT_FAILURE);
}

int io_alarm_set(uint32_t seconds, const char *line)
{
    struct sigaction action = {.sa_handler = end};
    sigset_t set;

    assert(seconds >= 1);
    last_line = line;
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGALRM, &action, NULL) != 0) {
        return -errno;
    }
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    const int error = pthread_sigmask(SIG_UNBLOCK, &set, NULL);
    if (error == 0) {
        alarm(seconds);
    }
    return -error;
}

void io_alarm_clear(void)
{
    alarm(0);
}
