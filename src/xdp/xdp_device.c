// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_device.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <string.h>
#include <sys/socket.h>

bool xdp_device_read(const struct nlmsghdr *message, struct xdp_device *out)
{
    const struct ifinfomsg *head = xdp_netlink_head(message, sizeof(*head));
    const bool is_link = message->nlmsg_type == RTM_NEWLINK || message->nlmsg_type == RTM_DELLINK;

    if (!is_link || head == NULL || head->ifi_family != AF_UNSPEC) {
        return false;
    }
    const struct bytes mac = xdp_netlink_find(message, sizeof(*head), IFLA_ADDRESS);
    const unsigned int needed = IFF_UP | IFF_RUNNING;
    struct xdp_device device = {
        .ifindex = (uint32_t)head->ifi_index,
        .mtu = xdp_netlink_u32(xdp_netlink_find(message, sizeof(*head), IFLA_MTU)),
    };
    device.is_usable = message->nlmsg_type == RTM_NEWLINK && head->ifi_type == ARPHRD_ETHER &&
                       (head->ifi_flags & needed) == needed &&
                       (head->ifi_flags & IFF_LOOPBACK) == 0 && mac.len == sizeof device.mac;
    if (device.is_usable) {
        memcpy(device.mac, mac.ptr, sizeof device.mac);
    }
    *out = device;
    return true;
}

int xdp_device_find(struct xdp_netlink *netlink, uint32_t ifindex, struct xdp_device *out)
{
    const struct ifinfomsg head = {.ifi_family = AF_UNSPEC, .ifi_index = (int)ifindex};
    const struct nlmsghdr *answer = NULL;
    struct xdp_netlink_question question;
    struct xdp_netlink_datagram datagram;

    xdp_netlink_begin(&question, RTM_GETLINK, &head, sizeof head);
    const int error = xdp_netlink_ask(netlink, &question, &datagram, &answer);
    if (error != 0) {
        return error;
    }
    return xdp_device_read(answer, out) ? 0 : -EBADMSG;
}
