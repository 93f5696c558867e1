// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Reads the IPv4 header (RFC 791) of what may be for this relay.
#pragma once

#include "bpf/from_udp.h"
#include "bpf/narrow.h"
#include "bpf/own.h"

enum {
    FROM_IP4_PLAIN = 0x45,        // version 4, and a header of five words: without options
    FROM_IP4_FRAGMENTED = 0x3FFF, // more fragments follow, or not the first
};

static __always_inline enum relay_abi_verdict from_ip4(const struct frame *frame, struct flow *flow,
                                                       struct relay_abi_key *key)
{
    const struct iphdr *ip = frame->data + ETH_HLEN;
    const struct udphdr *udp = (const void *)(ip + 1);

    if ((void *)(udp + 1) > frame->end) {
        return RELAY_ABI_VERDICT_pass_foreign;
    }
    if (ip->protocol != IPPROTO_UDP) {
        if (ip->protocol == IPPROTO_ICMP) {
            narrow_hear_ip4(frame, ip);
        }
        return RELAY_ABI_VERDICT_pass_foreign;
    }
    flow->own = own_find_ip4(ip->daddr);
    if (flow->own == RELAY_ABI_OWN_MAX) {
        return RELAY_ABI_VERDICT_pass_foreign;
    }
    if (*(const __u8 *)ip != FROM_IP4_PLAIN) {
        return RELAY_ABI_VERDICT_pass_options;
    }
    flow->fragment = ip->frag_off;
    if ((flow->fragment & bpf_htons(FROM_IP4_FRAGMENTED)) != 0) {
        return RELAY_ABI_VERDICT_pass_fragment;
    }
    __u32 ip_len = bpf_ntohs(ip->tot_len);
    __u32 room = frame->end - (void *)ip;
    if (ip_len > room) {
        return RELAY_ABI_VERDICT_pass_malformed;
    }
    flow->cut = room - ip_len;
    flow->family = RELAY_ABI_IP4;
    flow->tos = ip->tos;
    flow->ttl = ip->ttl;
    flow->id = ip->id;
    flow->check = ip->check;
    flow->addrs = (__u64)ip->saddr + ip->daddr;
    ((__u32 *)key->remote_ip)[0] = ip->saddr;
    return from_udp(frame, udp, ip_len - sizeof *ip, flow, key);
}

// The header's checksum is right. Over IPv4 a wrong one stays wrong, as it is changed by
// differences; what gets a fresh header in its place must not look sound.
static __always_inline bool from_ip4_is_sound(const struct flow *flow)
{
    __u64 sum = CSUM_BASE + bpf_htons(FROM_IP4_PLAIN << 8 | flow->tos) +
                bpf_htons(sizeof(struct iphdr) + flow->udp_len) + flow->id + flow->fragment +
                bpf_htons(flow->ttl << 8 | IPPROTO_UDP) + flow->addrs + flow->check;

    return csum_close(sum) == 0;
}
