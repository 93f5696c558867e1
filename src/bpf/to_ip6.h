// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Writes a packet that leaves over IPv6.
#pragma once

#include "bpf/own.h"
#include "bpf/to_eth.h"
#include "bpf/to_udp.h"

static __always_inline bool to_ip6(const struct frame *frame, const struct flow *flow,
                                   const struct flow_exit *exit)
{
    struct ipv6hdr *ip = frame->data + ETH_HLEN;
    struct udphdr *udp = (void *)(ip + 1);
    const volatile __u32 *own = own_ip(exit->path.own);
    const __u32 from[4] = {own[0], own[1], own[2], own[3]};
    const __u32 *to = (const __u32 *)exit->path.remote_ip;

    if ((void *)(udp + 1) > frame->end) {
        return false;
    }
    to_eth(frame->data, exit->hop, ETH_P_IPV6);
    // What crosses from IPv4 has no flow label.
    *(__u32 *)ip = flow->family == RELAY_ABI_IP6 ? flow->version
                                                 : bpf_htonl(6U << 28 | (__u32)flow->tos << 20);
    ip->payload_len = bpf_htons(exit->udp_len);
    ip->nexthdr = IPPROTO_UDP;
    ip->hop_limit = flow->ttl - 1;
    for (__u32 i = 0; i < 4; i++) {
        ip->saddr.in6_u.u6_addr32[i] = from[i];
        ip->daddr.in6_u.u6_addr32[i] = to[i];
    }
    to_udp(udp, flow, exit, csum_ip6(from) + csum_ip6(to));
    return to_udp_chandata((__u32 *)(udp + 1), frame->end, exit);
}
