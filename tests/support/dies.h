// SPDX-License-Identifier: Apache-2.0
// Whether a call ends in a failed assertion: what our own mistakes must meet.
#pragma once

#include <stdbool.h>

typedef void (*dies_fn)(void *context);

// Makes the call in a child process, whose stderr is dropped. True when it aborts.
bool dies(dies_fn call, void *context);
