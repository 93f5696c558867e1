// SPDX-License-Identifier: Apache-2.0
// Which address this host would use to speak to the internet.
#pragma once

#include "base/addr.h"

// The source address of the default route (port 0), asked of the kernel without sending anything;
// of IPv6 one that lasts, not a temporary one of RFC 8981. -ENETUNREACH or -EADDRNOTAVAIL when
// there is none, or only a link-local one, -EAFNOSUPPORT without the family.
MUST_USE int io_route_source(enum addr_family family, struct addr *out);
