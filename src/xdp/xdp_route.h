// SPDX-License-Identifier: Apache-2.0
// Which way a datagram would leave this host.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "xdp/xdp_netlink.h"

struct xdp_route {
    struct addr next; // the router, or the destination itself; port 0
    uint32_t ifindex;
    uint32_t mtu; // of this route, in bytes; 0: as the interface's
};

// Asks how UDP from `source`, an own address, gets to `destination`, ports included. -EHOSTUNREACH
// when that is not a way to one host by an interface: it is this host, a group, encapsulated, or
// link-local, which over IPv6 may be on any link. Others as the system answers: -ENETUNREACH,
// -EINVAL for a source that is not ours.
MUST_USE int xdp_route_find(struct xdp_netlink *netlink, const struct addr *destination,
                            const struct addr *source, struct xdp_route *out);

// The message tells of something that may change ways: a route, a rule, an address, a next hop.
bool xdp_route_is_changed_by(const struct nlmsghdr *message);
