// SPDX-License-Identifier: Apache-2.0
// A thread beside the control thread: started with a name, and joined.
//
// It takes no signals, which are the control thread's; and a far end that hangs up is no reason for
// it to die of SIGPIPE.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

struct io_thread {
    pthread_t id;
    bool is_running; // it was started and not joined yet
};

// Starts it, all zero or joined before. `name` has up to 15 bytes. 0 or -errno.
MUST_USE int io_thread_start(struct io_thread *thread, const char *name, void *(*fn)(void *context),
                             void *context);
// Waits until it has ended. Nothing happens if it does not run.
void io_thread_join(struct io_thread *thread);
// The same, but for no longer than so many seconds: -ETIMEDOUT when it goes on. It is not joined
// any more then, and all that it uses stays its own. 0: it has ended, or did not run.
MUST_USE int io_thread_join_within(struct io_thread *thread, uint32_t seconds);
