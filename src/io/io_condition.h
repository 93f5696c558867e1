// SPDX-License-Identifier: Apache-2.0
// A condition variable that is waited for during some time, and no longer.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"

// Holds nothing that would have to be given back. Cannot fail.
void io_condition_init(pthread_cond_t *out);

enum { IO_CONDITION_SLICE_MS = 10 };

// Waits until it is signalled, or for a slice of `*left_ns`; it may also wake for nothing. Takes
// the time away that it has waited, but no more than a slice: who is waited for has the others
// still, though the whole process or machine stood still meanwhile. The lock is held, and given up
// during the wait. With no time left it returns at once.
void io_condition_wait(pthread_cond_t *condition, pthread_mutex_t *lock, uint64_t *left_ns);
