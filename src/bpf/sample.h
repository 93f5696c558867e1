// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// How long it takes to relay a packet, measured of one among many: reading the clock costs as much
// as relaying does.
//
// Whichever CPU has relayed its next RELAY_ABI_SAMPLE_INTERVAL packets asks for a measurement, and
// the packet that finds that is measured, on whichever CPU. So all that the others pay is to read
// one word that hardly ever changes. When two find it at once, both are measured.
#pragma once

#include "bpf/maps.h"

__u32 is_sample_due;

static __always_inline void sample_ask(void)
{
    *(volatile __u32 *)&is_sample_due = 1;
}

// The time, if this packet is the one; else 0.
static __always_inline __u64 sample_begin(void)
{
    if (*(const volatile __u32 *)&is_sample_due == 0) {
        return 0;
    }
    *(volatile __u32 *)&is_sample_due = 0;
    return bpf_ktime_get_ns();
}

static __always_inline __u32 sample_place(__u64 duration)
{
    __u32 place = 0;

#define SAMPLE_STEP(ns) place += duration > (ns);
    RELAY_ABI_DURATIONS(SAMPLE_STEP)
#undef SAMPLE_STEP
    return place;
}

static __always_inline void sample_end(__u64 began)
{
    const __u64 duration = bpf_ktime_get_ns() - began;
    const __u32 place = sample_place(duration);
    __u32 zero = 0;
    struct relay_abi_durations *histogram = bpf_map_lookup_elem(&durations, &zero);

    if (histogram != NULL && place <= RELAY_ABI_DURATION_COUNT) {
        histogram->counts[place]++;
        histogram->sum += duration;
    }
}
