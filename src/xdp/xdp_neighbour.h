// SPDX-License-Identifier: Apache-2.0
// A neighbour: who has an IP address on an interface, as far as the system knows.
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "uapi/relay_abi.h"
#include "xdp/xdp_netlink.h"

struct xdp_neighbour {
    struct addr ip; // port 0
    uint32_t ifindex;
    uint8_t mac[RELAY_ABI_MAC_LEN];
    bool is_known; // the system would send to this MAC address now
};

// Reads RTM_NEWNEIGH or RTM_DELNEIGH (which is not known). False when it is neither, or broken, or
// about something else than a neighbour's IP address.
MUST_USE bool xdp_neighbour_read(const struct nlmsghdr *message, struct xdp_neighbour *out);

// Asks for one. One of which the system knows nothing is no error: it is not known.
MUST_USE int xdp_neighbour_find(struct xdp_netlink *netlink, uint32_t ifindex,
                                const struct addr *ip, struct xdp_neighbour *out);
