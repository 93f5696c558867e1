// SPDX-License-Identifier: Apache-2.0
// Stream sockets of this host (AF_UNIX), at paths, for its own users alone.
#pragma once

#include <stdint.h>

#include "base/macro.h"

enum { IO_LOCAL_PATH_MAX = 107 }; // bytes

// Listens at a path, which only the caller's user and root can connect to; *out is non-blocking.
// A socket that nobody serves any more is replaced, and of several who come at once one alone gets
// the path. -EADDRINUSE: somebody serves there, or it is no
// socket. -ENAMETOOLONG, others as of bind(2).
MUST_USE int io_local_listen(const char *path, int *out);
// Takes a connection, which is non-blocking, and whose it is. -EAGAIN when there is none.
MUST_USE int io_local_accept(int listen_fd, int *out, uint32_t *uid);
// Connects, and waits for that; *out gives up reading and writing after `timeout_s`.
MUST_USE int io_local_connect(const char *path, uint32_t timeout_s, int *out);
