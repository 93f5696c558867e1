// SPDX-License-Identifier: Apache-2.0
// Descriptors that close themselves at the end of their scope.
//
//     IO_FD_AUTO int fd = -1;
//     ...
//     *out = io_fd_take(&fd); // from here on it is the caller's
#pragma once

#include "base/macro.h"

#define IO_FD_AUTO __attribute__((cleanup(io_fd_close)))

// Closes the descriptor, if it is one, and sets it to -1.
void io_fd_close(int *fd);

// Opens /dev/null for each of the descriptors 0, 1 and 2 that is closed, so that no socket takes
// its number and is written to as standard output. -errno as open(2).
MUST_USE int io_fd_reserve_standard(void);

// Hands the descriptor over: returns it and leaves -1.
MUST_USE int io_fd_take(int *fd);
