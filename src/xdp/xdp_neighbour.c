// SPDX-License-Identifier: Apache-2.0
#include "xdp/xdp_neighbour.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <string.h>

// The states in which the system sends to the MAC address that it has: NUD_VALID of the kernel.
enum {
    VALID = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY,
};

bool xdp_neighbour_read(const struct nlmsghdr *message, struct xdp_neighbour *out)
{
    const struct ndmsg *head = xdp_netlink_head(message, sizeof(*head));
    const bool is_new = message->nlmsg_type == RTM_NEWNEIGH;
    struct addr ip;

    if ((!is_new && message->nlmsg_type != RTM_DELNEIGH) || head == NULL ||
        (head->ndm_flags & NTF_PROXY) != 0 ||
        !xdp_netlink_ip(xdp_netlink_find(message, sizeof(*head), NDA_DST), head->ndm_family, &ip)) {
        return false;
    }
    const struct bytes mac = xdp_netlink_find(message, sizeof(*head), NDA_LLADDR);
    struct xdp_neighbour neighbour = {.ip = ip, .ifindex = (uint32_t)head->ndm_ifindex};
    neighbour.is_known =
        is_new && (head->ndm_state & VALID) != 0 && mac.len == sizeof neighbour.mac;
    if (neighbour.is_known) {
        memcpy(neighbour.mac, mac.ptr, sizeof neighbour.mac);
    }
    *out = neighbour;
    return true;
}

int xdp_neighbour_find(struct xdp_netlink *netlink, uint32_t ifindex, const struct addr *ip,
                       struct xdp_neighbour *out)
{
    const struct ndmsg head = {
        .ndm_family = xdp_netlink_family(ip),
        .ndm_ifindex = (int)ifindex,
    };
    const struct nlmsghdr *answer = NULL;
    struct xdp_netlink_question question;
    struct xdp_netlink_datagram datagram;

    xdp_netlink_begin(&question, RTM_GETNEIGH, &head, sizeof head);
    const struct bytes value = addr_ip(ip);
    xdp_netlink_add(&question, NDA_DST, value.ptr, value.len);
    const int error = xdp_netlink_ask(netlink, &question, &datagram, &answer);
    if (error == -ENOENT) {
        *out = (struct xdp_neighbour){.ip = addr_with_port(*ip, 0), .ifindex = ifindex};
        return 0;
    }
    if (error != 0) {
        return error;
    }
    return xdp_neighbour_read(answer, out) ? 0 : -EBADMSG;
}
