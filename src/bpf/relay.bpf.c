// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// The relay's fast path: an XDP program that relays the packets of bound channels.
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <stddef.h>

#include "bpf/maps.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("xdp")
int relay(struct xdp_md *ctx)
{
    __u32 verdict = RELAY_ABI_VERDICT_pass_foreign;
    struct relay_abi_count *count = bpf_map_lookup_elem(&counts, &verdict);

    if (count != NULL) {
        count->packets++;
        count->bytes += ctx->data_end - ctx->data;
    }
    return XDP_PASS;
}
