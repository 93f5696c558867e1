// SPDX-License-Identifier: Apache-2.0
// Programs for XDP that make, count and turn round frames: the two ends of a measurement, and its
// floor.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "frame_load.h"

char LICENSE[] SEC("license") = "Apache-2.0";

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, FRAME_LOAD_HEAD_COUNT);
    __type(key, __u32);
    __type(value, struct frame_load_head);
} heads SEC(".maps");

__u32 head_count;
__u32 next_head;
_Bool is_counting;
__u64 frames_seen; // on one CPU at a time: there is one queue

// Writes the whole head anew, since pages come back as they were when they were freed.
SEC("xdp")
int make(struct xdp_md *ctx)
{
    __u8 *data = (void *)(long)ctx->data;
    __u8 *data_end = (void *)(long)ctx->data_end;
    __u32 index = next_head;

    next_head = index + 1 < head_count ? index + 1 : 0;
    struct frame_load_head *head = bpf_map_lookup_elem(&heads, &index);
    if (head == (void *)0 || data + FRAME_LOAD_HEAD_MAX > data_end) {
        return XDP_DROP;
    }
    __builtin_memcpy(data, head->bytes, FRAME_LOAD_HEAD_MAX);
    return XDP_TX;
}

SEC("xdp")
int count(struct xdp_md *ctx)
{
    struct ethhdr *eth = (void *)(long)ctx->data;
    __u8 *data_end = (void *)(long)ctx->data_end;
    __u8 protocol = 0;

    if ((__u8 *)(eth + 1) + sizeof(struct iphdr) > data_end) {
        return XDP_PASS;
    }
    if (eth->h_proto == bpf_htons(ETH_P_IP)) {
        protocol = ((struct iphdr *)(eth + 1))->protocol;
    } else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
        protocol = ((struct ipv6hdr *)(eth + 1))->nexthdr;
    }
    if (protocol != IPPROTO_UDP || !is_counting) {
        return XDP_PASS; // ARP and neighbour discovery must go on
    }
    frames_seen++;
    return XDP_DROP;
}

static __always_inline void swap(__u8 *a, __u8 *b, int len)
{
    for (int i = 0; i < len; i++) {
        __u8 kept = a[i];
        a[i] = b[i];
        b[i] = kept;
    }
}

// The floor: addresses and ports change places, which leaves all checksums right, and back.
SEC("xdp")
int turn_round(struct xdp_md *ctx)
{
    struct ethhdr *eth = (void *)(long)ctx->data;
    __u8 *data_end = (void *)(long)ctx->data_end;
    struct udphdr *udp = (void *)0;

    if ((__u8 *)(eth + 1) + sizeof(struct iphdr) + sizeof(struct udphdr) > data_end) {
        return XDP_PASS;
    }
    if (eth->h_proto == bpf_htons(ETH_P_IP)) {
        struct iphdr *ip = (void *)(eth + 1);
        if (ip->protocol != IPPROTO_UDP) {
            return XDP_PASS;
        }
        __be32 kept = ip->saddr;
        ip->saddr = ip->daddr;
        ip->daddr = kept;
        udp = (void *)(ip + 1);
    } else if (eth->h_proto == bpf_htons(ETH_P_IPV6)) {
        struct ipv6hdr *ip = (void *)(eth + 1);
        if ((__u8 *)(ip + 1) + sizeof(*udp) > data_end || ip->nexthdr != IPPROTO_UDP) {
            return XDP_PASS;
        }
        struct in6_addr kept = ip->saddr;
        ip->saddr = ip->daddr;
        ip->daddr = kept;
        udp = (void *)(ip + 1);
    } else {
        return XDP_PASS;
    }
    __be16 port = udp->source;
    udp->source = udp->dest;
    udp->dest = port;
    swap(eth->h_source, eth->h_dest, ETH_ALEN);
    return XDP_TX;
}
