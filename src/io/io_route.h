// SPDX-License-Identifier: Apache-2.0
// Which address this host would use to speak to others.
#pragma once

#include "base/addr.h"

// The source address of the default route (port 0), asked of the kernel without sending anything;
// of IPv6 one that lasts, not a temporary one of RFC 8981. -ENETUNREACH or -EADDRNOTAVAIL when
// there is none, or only a link-local one, -EAFNOSUPPORT without the family.
MUST_USE int io_route_source(enum addr_family family, struct addr *out);

// The source address (port 0) of a socket that is bound to none and sends to the target, whose port
// is not 0. Errors as of io_route_source().
MUST_USE int io_route_source_to(const struct addr *target, struct addr *out);
