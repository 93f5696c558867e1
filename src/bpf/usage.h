// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Counts for each relayed port what is relayed: see relay_abi_usage.
#pragma once

#include "bpf/flow.h"
#include "bpf/maps.h"

// `port` is in network order.
static __always_inline void usage_add(__u16 port, enum relay_abi_from from, __u16 data_len)
{
    __u32 place = (bpf_ntohs(port) - settings.lowest_port) * RELAY_ABI_USAGES_PER_PORT + from;
    struct relay_abi_usage *usage = bpf_map_lookup_elem(&usages, &place);

    if (usage != NULL) { // no channel has a port out of the range
        __sync_fetch_and_add(&usage->packets, 1);
        __sync_fetch_and_add(&usage->bytes, data_len);
    }
}

// Of a packet that leaves, once for each client that it is of.
static __always_inline void usage_count(const struct flow *flow, const struct flow_exit *exit)
{
    if (flow->is_from_client) {
        usage_add(exit->sender, RELAY_ABI_FROM_CLIENT, flow->data_len);
    }
    if (exit->chandata != 0) {
        usage_add(exit->receiver, RELAY_ABI_FROM_PEER, flow->data_len);
    }
}
