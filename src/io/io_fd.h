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

// Hands the descriptor over: returns it and leaves -1.
MUST_USE int io_fd_take(int *fd);
