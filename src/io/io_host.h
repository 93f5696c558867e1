// SPDX-License-Identifier: Apache-2.0
// The addresses of this host.
#pragma once

#include <stddef.h>

#include "base/addr.h"

// Lists the addresses of all interfaces, up to `capacity` of them (port 0). *count is how many were
// written. -ENOSPC when there are more; then those that fit are listed.
MUST_USE int io_host_list(struct addr *out, size_t capacity, size_t *count);
