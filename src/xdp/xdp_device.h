// SPDX-License-Identifier: Apache-2.0
// A network interface as a next hop needs it: its MAC address and its MTU.
#pragma once

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "uapi/relay_abi.h"
#include "xdp/xdp_netlink.h"

struct xdp_device {
    uint32_t ifindex;
    uint32_t mtu; // bytes
    uint8_t mac[RELAY_ABI_MAC_LEN];
    bool is_usable; // Ethernet, up, and with a carrier
};

// Reads RTM_NEWLINK or RTM_DELLINK (which is not usable). False when it is neither, or broken, or
// from a bridge about its ports.
MUST_USE bool xdp_device_read(const struct nlmsghdr *message, struct xdp_device *out);

// Asks for one. -ENODEV when there is none.
MUST_USE int xdp_device_find(struct xdp_netlink *netlink, uint32_t ifindex, struct xdp_device *out);
