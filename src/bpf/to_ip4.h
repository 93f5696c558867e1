// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Writes a packet that leaves over IPv4.
#pragma once

#include "bpf/own.h"
#include "bpf/to_eth.h"
#include "bpf/to_udp.h"

enum { TO_IP4_DF = 0x4000 };

// The fields of a packet that came over IPv4 and those that cross from IPv6 (RFC 7915 section 5.1).
static __always_inline void to_ip4_header(struct iphdr *ip, const struct flow *flow,
                                          const struct flow_exit *exit, __u32 from, __u32 to)
{
    __u16 len = bpf_htons(sizeof *ip + exit->udp_len);
    bool was_ip4 = flow->family == RELAY_ABI_IP4;
    __u16 id = was_ip4 ? flow->id : 0;
    __u16 fragment = was_ip4 ? flow->fragment : bpf_htons(TO_IP4_DF);
    __u64 sum;

    if (was_ip4) {
        sum = csum_open(flow->check) - flow->addrs - bpf_htons(sizeof *ip + flow->udp_len) -
              bpf_htons(1 << 8); // of the TTL
    } else {
        sum = CSUM_BASE + bpf_htons(4 << 12 | 5 << 8 | flow->tos) + fragment +
              bpf_htons((flow->ttl - 1) << 8 | IPPROTO_UDP);
    }
    *(__u16 *)ip = bpf_htons(4 << 12 | 5 << 8 | flow->tos);
    ip->tot_len = len;
    ip->id = id;
    ip->frag_off = fragment;
    ip->ttl = flow->ttl - 1;
    ip->protocol = IPPROTO_UDP;
    ip->check = csum_close(sum + from + to + len);
    ip->saddr = from;
    ip->daddr = to;
}

static __always_inline bool to_ip4(const struct frame *frame, const struct flow *flow,
                                   const struct flow_exit *exit)
{
    struct iphdr *ip = frame->data + ETH_HLEN;
    struct udphdr *udp = (void *)(ip + 1);
    __u32 from = own_ip(exit->path.own)[0];
    __u32 to = *(const __u32 *)exit->path.remote_ip;

    if ((void *)(udp + 1) > frame->end) {
        return false;
    }
    to_eth(frame->data, exit->hop, ETH_P_IP);
    to_ip4_header(ip, flow, exit, from, to);
    to_udp(udp, flow, exit, (__u64)from + to);
    return to_udp_chandata((__u32 *)(udp + 1), frame->end, exit);
}
