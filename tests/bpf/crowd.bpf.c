// SPDX-License-Identifier: Apache-2.0
// Leaves no room in front of a frame, as a driver may that has put something there, and hands on.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "crowd.h"

char LICENSE[] SEC("license") = "Apache-2.0";

struct {
    __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, __u32);
} next SEC(".maps");

enum {
    // Of the 256 bytes that XDP begins with the first 40 are the kernel's own (struct xdp_frame).
    ROOM = 256 - 40,
};

SEC("xdp")
int crowd(struct xdp_md *ctx)
{
    if (bpf_xdp_adjust_head(ctx, -ROOM) != 0) {
        return XDP_ABORTED;
    }
    __u64 *to = (void *)(long)ctx->data;
    const __u64 *from = (const void *)(long)ctx->data + ROOM;
    if ((const void *)(from + CROWD_FRAME_LEN / 8) > (const void *)(long)ctx->data_end) {
        return XDP_ABORTED;
    }
#pragma unroll
    for (int i = 0; i < CROWD_FRAME_LEN / 8; i++) {
        to[i] = from[i];
    }
    if (bpf_xdp_adjust_tail(ctx, -ROOM) != 0) {
        return XDP_ABORTED;
    }
    bpf_tail_call(ctx, &next, 0);
    return XDP_ABORTED;
}
