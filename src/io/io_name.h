// SPDX-License-Identifier: Apache-2.0
// Names of hosts, as the system knows them: files, DNS, whatever nsswitch.conf(5) says.
#pragma once

#include <stddef.h>

#include "base/addr.h"

// Looks a name up, for the programs that may wait for it: DNS may take many seconds. Writes up to
// `capacity` addresses (port 0) of that family, or of both with ADDR_NONE, the one to try first
// first (RFC 6724); *count is how many were written, at least 1. 0, or an error of getaddrinfo(3),
// which is no errno: io_name_why() tells it.
MUST_USE int io_name_find(const char *name, enum addr_family family, struct addr *out,
                          size_t capacity, size_t *count);

// What an error of io_name_find() says, without a full stop: "Name or service not known".
const char *io_name_why(int error);
