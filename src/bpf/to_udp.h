// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Writes the UDP header, and ChannelData's behind it.
#pragma once

#include "bpf/csum.h"
#include "bpf/flow.h"

// `addrs`: what the new IP addresses come to. The data lies where it must already.
static __always_inline void to_udp(struct udphdr *udp, const struct flow *flow,
                                   const struct flow_exit *exit, __u64 addrs)
{
    __u32 len = bpf_htons(exit->udp_len);

    __u32 ports = *(const __u32 *)exit->path.local_port;

    *(__u32 *)udp = ports;
    udp->len = len;
    udp->check =
        flow->has_sum ? csum_close_udp(flow->sum + addrs + ports + exit->chandata + 2 * len) : 0;
}

// Behind a UDP header that ends at `at`. False only to please the verifier.
static __always_inline bool to_udp_chandata(__u32 *at, const void *end,
                                            const struct flow_exit *exit)
{
    if (exit->chandata == 0) {
        return true;
    }
    if ((const void *)(at + 1) > end) {
        return false;
    }
    *at = exit->chandata;
    return true;
}
