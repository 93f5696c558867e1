// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Reads the IPv6 header (RFC 8200) of what may be for this relay.
#pragma once

#include "bpf/from_udp.h"
#include "bpf/narrow.h"
#include "bpf/own.h"

// What is no UDP, but may have it behind extension headers.
static __always_inline enum relay_abi_verdict from_ip6_extension(__u8 next)
{
    switch (next) {
    case IPPROTO_FRAGMENT:
        return RELAY_ABI_VERDICT_pass_fragment;
    case IPPROTO_HOPOPTS:
    case IPPROTO_ROUTING:
    case IPPROTO_DSTOPTS:
    case IPPROTO_AH:
        return RELAY_ABI_VERDICT_pass_options;
    default:
        return RELAY_ABI_VERDICT_pass_foreign;
    }
}

static __always_inline enum relay_abi_verdict from_ip6(const struct frame *frame, struct flow *flow,
                                                       struct relay_abi_key *key)
{
    const struct ipv6hdr *ip = frame->data + ETH_HLEN;
    const struct udphdr *udp = (const void *)(ip + 1);

    if ((void *)(udp + 1) > frame->end) {
        return RELAY_ABI_VERDICT_pass_foreign;
    }
    flow->own = own_find_ip6(ip->daddr.in6_u.u6_addr32);
    if (flow->own == RELAY_ABI_OWN_MAX) {
        return RELAY_ABI_VERDICT_pass_foreign;
    }
    if (ip->nexthdr != IPPROTO_UDP) {
        if (ip->nexthdr == IPPROTO_ICMPV6) {
            narrow_hear_ip6(frame, ip);
        }
        return from_ip6_extension(ip->nexthdr);
    }
    if (*(const __u8 *)ip >> 4 != 6) {
        return RELAY_ABI_VERDICT_pass_malformed;
    }
    __u32 ip_len = bpf_ntohs(ip->payload_len);
    __u32 room = frame->end - (void *)udp;
    if (ip_len > room) {
        return RELAY_ABI_VERDICT_pass_malformed;
    }
    flow->cut = room - ip_len;
    flow->family = RELAY_ABI_IP6;
    flow->version = *(const __u32 *)ip;
    flow->tos = bpf_ntohl(flow->version) >> 20;
    flow->ttl = ip->hop_limit;
    flow->addrs = csum_ip6(ip->saddr.in6_u.u6_addr32) + csum_ip6(ip->daddr.in6_u.u6_addr32);
    for (__u32 i = 0; i < 4; i++) {
        ((__u32 *)key->remote_ip)[i] = ip->saddr.in6_u.u6_addr32[i];
    }
    return from_udp(frame, udp, ip_len, flow, key);
}
