// SPDX-License-Identifier: Apache-2.0
// The addresses of this host, and the interfaces that bear them.
#pragma once

#include <stddef.h>

#include "base/addr.h"

// Lists the addresses of all interfaces, up to `capacity` of them (port 0). *count is how many were
// written. -ENOSPC when there are more; then those that fit are listed.
MUST_USE int io_host_list(struct addr *out, size_t capacity, size_t *count);

enum { IO_HOST_LINK_LEN = 16 }; // bytes of an interface's name with its terminator

// The name of the first interface that bears an address, whatever its port. -ENOENT when none does.
MUST_USE int io_host_link(const struct addr *addr, char out[IO_HOST_LINK_LEN]);
