// SPDX-License-Identifier: Apache-2.0
// A bound for what nothing else bounds: the process ends, unless it says in time that it goes on.
#pragma once

#include <stdint.h>

#include "base/macro.h"

// After so many seconds (1 or more) the line, which is a constant, is written to standard error,
// and the process ends with exit status 1, whatever its threads do. The calling thread takes the
// signal, SIGALRM; others may block it. 0 or -errno.
MUST_USE int io_alarm_set(uint32_t seconds, const char *line);
// Not any more. Nothing happens if none is set.
void io_alarm_clear(void);
