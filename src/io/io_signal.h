// SPDX-License-Identifier: Apache-2.0
// SIGHUP, SIGINT, SIGTERM, SIGUSR1 and SIGUSR2 as something to read from a descriptor.
#pragma once

#include <stdbool.h>

#include "base/macro.h"

// Blocks these signals in this thread and those it starts later, ignores SIGPIPE (writing to
// a closed pipe is -EPIPE, not the end), and opens a descriptor that is readable when one of them
// came. The caller closes it.
MUST_USE int io_signal_open(int *out);

// Reads one signal. False, with *out untouched, when none waits.
MUST_USE bool io_signal_read(int fd, int *out);
