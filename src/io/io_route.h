// SPDX-License-Identifier: Apache-2.0
// Which address this host would use to speak to the internet.
#pragma once

#include "base/addr.h"

// The source address of the default route (port 0), asked of the kernel without sending anything.
// -ENETUNREACH or -EADDRNOTAVAIL when there is none, -EAFNOSUPPORT without the family.
MUST_USE int io_route_source(enum addr_family family, struct addr *out);
