// SPDX-License-Identifier: Apache-2.0
// A condition variable that is waited for until a moment of the monotonic clock, and no longer.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

// Holds nothing that would have to be given back. Cannot fail.
void io_condition_init(pthread_cond_t *out);

// Waits until it is signalled, or until `end_ns` of io_clock_mono_ns(); it may also wake for
// nothing. The lock is held, and given up meanwhile. False: the moment has come.
MUST_USE bool io_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t end_ns);
