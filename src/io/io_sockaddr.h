// SPDX-License-Identifier: Apache-2.0
// Between our addresses and the system's.
#pragma once

#include <stdint.h>
#include <sys/socket.h>

#include "base/addr.h"

// Fills *out and returns its length; 0 for ADDR_NONE. `scope` is the interface of a link-local
// IPv6 address, else 0.
socklen_t io_sockaddr_write(const struct addr *addr, uint32_t scope, struct sockaddr_storage *out);

// False, with the outs untouched, when it is neither IPv4 nor IPv6 or too short. `scope` may be
// NULL.
MUST_USE bool io_sockaddr_read(const struct sockaddr_storage *from, socklen_t len, struct addr *out,
                               uint32_t *scope);
