// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_route.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void ask_for(struct xdp_netlink_question *question, const struct addr *destination,
                    const struct addr *source)
{
    const struct bytes to = addr_ip(destination);
    const struct bytes from = addr_ip(source);
    const struct rtmsg head = {
        .rtm_family = xdp_netlink_family(destination),
        .rtm_dst_len = (uint8_t)(to.len * 8),
        .rtm_src_len = (uint8_t)(from.len * 8),
    };
    const uint8_t protocol = IPPROTO_UDP;
    const uint16_t source_port_be = htons(source->port);
    const uint16_t destination_port_be = htons(destination->port);

    xdp_netlink_begin(question, RTM_GETROUTE, &head, sizeof head);
    xdp_netlink_add(question, RTA_DST, to.ptr, to.len);
    xdp_netlink_add(question, RTA_SRC, from.ptr, from.len);
    // Rules and the choice among several routes may look at these.
    xdp_netlink_add(question, RTA_IP_PROTO, &protocol, sizeof protocol);
    xdp_netlink_add(question, RTA_SPORT, &source_port_be, sizeof source_port_be);
    xdp_netlink_add(question, RTA_DPORT, &destination_port_be, sizeof destination_port_be);
}

// The router that a route names, of either family, or else the destination.
static struct addr next_of(const struct nlmsghdr *message, const struct rtmsg *head,
                           const struct addr *destination)
{
    const struct bytes gateway = xdp_netlink_find(message, sizeof(*head), RTA_GATEWAY);
    const struct bytes via = xdp_netlink_find(message, sizeof(*head), RTA_VIA);
    struct addr next = addr_with_port(*destination, 0);

    if (xdp_netlink_ip(gateway, head->rtm_family, &next)) {
        return next;
    }
    if (via.len > sizeof(struct rtvia)) {
        struct rtvia router;
        memcpy(&router, via.ptr, sizeof router);
        // If it is of neither family, it is no neighbour, and never known.
        IGNORE(xdp_netlink_ip(bytes_from(via, sizeof router), (uint8_t)router.rtvia_family, &next));
    }
    return next;
}

int xdp_route_find(struct xdp_netlink *netlink, const struct addr *destination,
                   const struct addr *source, struct xdp_route *out)
{
    const struct nlmsghdr *answer = NULL;
    struct xdp_netlink_question question;
    struct xdp_netlink_datagram datagram;

    assert(destination->family == source->family);
    if (destination->family == ADDR_IP6 && addr_is_link_local(destination)) {
        return -EHOSTUNREACH; // on which link, an address alone does not say
    }
    ask_for(&question, destination, source);
    const int error = xdp_netlink_ask(netlink, &question, &datagram, &answer);
    if (error != 0) {
        return error;
    }
    const struct rtmsg *head = xdp_netlink_head(answer, sizeof(*head));
    if (head == NULL || answer->nlmsg_type != RTM_NEWROUTE || head->rtm_type != RTN_UNICAST ||
        xdp_netlink_find(answer, sizeof(*head), RTA_ENCAP).len > 0) {
        return -EHOSTUNREACH;
    }
    const struct bytes metrics = xdp_netlink_find(answer, sizeof(*head), RTA_METRICS);
    *out = (struct xdp_route){
        .next = next_of(answer, head, destination),
        .ifindex = xdp_netlink_u32(xdp_netlink_find(answer, sizeof(*head), RTA_OIF)),
        .mtu = xdp_netlink_u32(xdp_netlink_within(metrics, RTAX_MTU)),
    };
    return 0;
}

bool xdp_route_is_changed_by(const struct nlmsghdr *message)
{
    switch (message->nlmsg_type) {
    case RTM_NEWROUTE:
    case RTM_DELROUTE:
    case RTM_NEWRULE:
    case RTM_DELRULE:
    case RTM_NEWADDR:
    case RTM_DELADDR:
    case RTM_NEWNEXTHOP:
    case RTM_DELNEXTHOP:
        return true;
    default:
        return false;
    }
}
