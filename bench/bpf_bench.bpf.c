// SPDX-License-Identifier: Apache-2.0
// Programs around the measured one: what puts the frame right before each run, and two floors.
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/udp.h>

#include <bpf/bpf_helpers.h>

#include "bpf_bench.h"

char LICENSE[] SEC("license") = "Apache-2.0";

struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} measured SEC(".maps");

__u64 head[BPF_BENCH_HEAD_LEN / 8];
__u32 frame_len;

// BPF_PROG_TEST_RUN hands each run the frame as the one before has left it. Only the head of it
// is ever changed, or moved.
SEC("xdp")
int restore(struct xdp_md *ctx)
{
    int grown = (int)(ctx->data_end - ctx->data) - (int)frame_len;

    if (grown != 0 && bpf_xdp_adjust_head(ctx, grown) != 0) {
        return XDP_ABORTED;
    }
    __u64 *data = (void *)(long)ctx->data;
    if ((void *)(data + BPF_BENCH_HEAD_LEN / 8) > (void *)(long)ctx->data_end) {
        return XDP_ABORTED;
    }
#pragma unroll
    for (int i = 0; i < BPF_BENCH_HEAD_LEN / 8; i++) {
        data[i] = head[i];
    }
    bpf_tail_call(ctx, &measured, 0);
    return XDP_ABORTED;
}

SEC("xdp")
int nothing(struct xdp_md *ctx)
{
    (void)ctx;
    return XDP_TX;
}

// The floor of whatever sends a packet back over IPv4.
SEC("xdp")
int swap(struct xdp_md *ctx)
{
    struct {
        __u16 macs[6];
        __u16 type;
    } *eth = (void *)(long)ctx->data;
    struct iphdr *ip = (void *)(eth + 1);
    struct udphdr *udp = (void *)(ip + 1);

    if ((void *)(udp + 1) > (void *)(long)ctx->data_end) {
        return XDP_PASS;
    }
#pragma unroll
    for (int i = 0; i < 3; i++) {
        __u16 mac = eth->macs[i];
        eth->macs[i] = eth->macs[i + 3];
        eth->macs[i + 3] = mac;
    }
    __u32 ip_kept = ip->saddr;
    ip->saddr = ip->daddr;
    ip->daddr = ip_kept;
    __u16 port = udp->source;
    udp->source = udp->dest;
    udp->dest = port;
    return XDP_TX;
}
