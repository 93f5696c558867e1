// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Writes the head of an Ethernet frame.
#pragma once

#include "bpf/flow.h"

static __always_inline void to_eth(void *data, const struct relay_abi_hop *hop, __u16 type)
{
    struct flow_eth *eth = data;

    // The hop has them in the order of the frame.
    _Static_assert(offsetof(struct relay_abi_hop, from_mac) ==
                       offsetof(struct relay_abi_hop, to_mac) + RELAY_ABI_MAC_LEN,
                   "side by side");
    for (__u32 i = 0; i < 3; i++) {
        ((__u32 *)eth)[i] = ((const __u32 *)hop->to_mac)[i];
    }
    eth->type = bpf_htons(type);
}
