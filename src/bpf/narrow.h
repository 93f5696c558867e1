// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Remote addresses to which some link on the way takes less than the link here: path MTUs.
//
// Routers say so by ICMP (RFC 1191, RFC 8201). The system learns from it, and its sockets then send
// in fragments; so what is too long for the way goes on to them. The ICMP packet itself passes too.
// Nobody pays for this before there is such a router: until one was heard of, nothing is looked up.
//
// Forged ICMP makes packets go by the sockets, and no more. The map forgets the oldest of many.
#pragma once

#include "bpf/flow.h"
#include "bpf/own.h"

enum {
    NARROW_ICMP_UNREACHABLE = 3, // type of ICMP, and its code
    NARROW_ICMP_FRAG_NEEDED = 4,
    NARROW_ICMP6_TOO_BIG = 2, // type of ICMPv6

    NARROW_MAX = 4096,                // remote addresses that are known at a time
    NARROW_LIFE_JIFFIES = 600 * 1000, // as long as the system keeps it, 10 minutes, and more where
                                      // its clock ticks less often than a thousand times a second
    NARROW_LEAST = 68,                // bytes: of the shortest link that IPv4 may cross (RFC 791)
    NARROW_FREE = 576,                // bytes: what everybody takes is not looked up
};

// What ICMP and ICMPv6 begin with; the packet that was sent follows.
struct narrow_icmp {
    __u8 type;
    __u8 code;
    __u16 check;
    __u32 mtu; // of ICMP, the last 16 bits
};
_Static_assert(sizeof(struct narrow_icmp) == 8, "no padding");

struct narrow_key {
    __u8 ip[RELAY_ABI_IP_LEN];
};

struct narrow_way {
    __u64 heard_at; // jiffies
    __u32 mtu;      // bytes
    __u32 zero;
};

struct {
    __uint(type, BPF_MAP_TYPE_LRU_HASH);
    __uint(max_entries, NARROW_MAX);
    __type(key, struct narrow_key);
    __type(value, struct narrow_way);
} narrow_ways SEC(".maps");

// When a router was heard of last, in jiffies; 0: never.
__u64 narrow_heard_at;

static __always_inline void narrow_keep(const struct narrow_key *to, __u32 mtu)
{
    struct narrow_way way = {.heard_at = bpf_jiffies64(), .mtu = mtu};

    // A map that is full has forgotten another one; without memory it is heard again.
    (void)bpf_map_update_elem(&narrow_ways, to, &way, BPF_ANY);
    narrow_heard_at = way.heard_at;
}

// Hears what a router says of an IPv4 packet that was sent from here.
static __always_inline void narrow_hear_ip4(const struct frame *frame, const struct iphdr *ip)
{
    const struct narrow_icmp *icmp = (const void *)(ip + 1);
    const struct iphdr *sent = (const void *)(icmp + 1);
    struct narrow_key to = {0};

    if (ip->ihl != 5 || (void *)(sent + 1) > frame->end || icmp->type != NARROW_ICMP_UNREACHABLE ||
        icmp->code != NARROW_ICMP_FRAG_NEEDED || sent->protocol != IPPROTO_UDP ||
        own_find_ip4(sent->saddr) == RELAY_ABI_OWN_MAX) {
        return;
    }
    __u32 mtu = bpf_ntohl(icmp->mtu) & 0xFFFF;
    ((__u32 *)to.ip)[0] = sent->daddr;
    narrow_keep(&to, mtu < NARROW_LEAST ? NARROW_FREE : mtu); // old routers say 0
}

// The same of an IPv6 packet.
static __always_inline void narrow_hear_ip6(const struct frame *frame, const struct ipv6hdr *ip)
{
    const struct narrow_icmp *icmp = (const void *)(ip + 1);
    const struct ipv6hdr *sent = (const void *)(icmp + 1);
    struct narrow_key to;

    if ((void *)(sent + 1) > frame->end || icmp->type != NARROW_ICMP6_TOO_BIG ||
        sent->nexthdr != IPPROTO_UDP ||
        own_find_ip6(sent->saddr.in6_u.u6_addr32) == RELAY_ABI_OWN_MAX) {
        return;
    }
    __builtin_memcpy(to.ip, &sent->daddr, sizeof to.ip);
    narrow_keep(&to, bpf_ntohl(icmp->mtu));
}

// Whether an IP packet of so many bytes is too long for the way to a remote address.
static __always_inline bool narrow_stops(const __u8 remote_ip[RELAY_ABI_IP_LEN], __u32 len)
{
    struct narrow_key to;

    if (len <= NARROW_FREE || narrow_heard_at == 0) {
        return false;
    }
    __u64 now = bpf_jiffies64();
    if (now - narrow_heard_at > NARROW_LIFE_JIFFIES) {
        return false;
    }
    __builtin_memcpy(to.ip, remote_ip, sizeof to.ip);
    const struct narrow_way *way = bpf_map_lookup_elem(&narrow_ways, &to);
    return way != NULL && now - way->heard_at <= NARROW_LIFE_JIFFIES && len > way->mtu;
}
