// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Whether an allocation may relay one more packet, each direction by itself: buckets of tokens
// (rate.h).
//
// Buckets are found by the relayed port, which is one allocation's alone: who gets the port next
// finds in them what was taken in the last second, and no more. The coarse clock, which stands
// still for some milliseconds, is exact enough for buckets that hold a second, and costs next to
// nothing.
#pragma once

#include "bpf/flow.h"
#include "bpf/maps.h"
#include "bpf/rate.h"

// FLOW_GOES_ON, or the limit that is in the way; then nothing is taken. `port` is in network order.
static __always_inline __u32 limit_pass(__u16 port, enum relay_abi_from from, __u16 data_len)
{
    if (settings.packet_time == 0 && settings.byte_time == 0) {
        return FLOW_GOES_ON;
    }
    __u32 place = (bpf_ntohs(port) - settings.lowest_port) * RELAY_ABI_BUCKETS_PER_PORT + from;
    struct limit_bucket *bucket = bpf_map_lookup_elem(&buckets, &place);
    if (bucket == NULL) {
        return FLOW_GOES_ON; // cannot be: no channel has another port
    }
    const __u64 now = bpf_ktime_get_coarse_ns() * RELAY_ABI_UNITS_PER_NS;
    const __u64 byte_time = data_len * settings.byte_time / RELAY_ABI_PARTS_PER_UNIT;
    if (settings.packet_time > 0 &&
        !rate_has(&bucket->packets_full_at, now, settings.packet_time)) {
        return RELAY_ABI_VERDICT_drop_max_pps;
    }
    if (settings.byte_time > 0 && !rate_has(&bucket->bytes_full_at, now, byte_time)) {
        return RELAY_ABI_VERDICT_drop_max_bps;
    }
    if (settings.packet_time > 0) {
        rate_take(&bucket->packets_full_at, now, settings.packet_time);
    }
    if (settings.byte_time > 0) {
        rate_take(&bucket->bytes_full_at, now, byte_time);
    }
    return FLOW_GOES_ON;
}
