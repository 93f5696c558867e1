// SPDX-License-Identifier: Apache-2.0
// What the kernel program has counted, over all CPUs: packets and bytes by verdict, sizes of what
// it relayed, and how long that took.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/metric.h"
#include "uapi/relay_abi.h"
#include "xdp/xdp_program.h"

// By enum relay_abi_verdict.
struct xdp_counts {
    uint64_t packets[RELAY_ABI_VERDICT_COUNT];
    uint64_t bytes[RELAY_ABI_VERDICT_COUNT]; // whole frames as they came in
    // What follows is not in xdp_counts_metrics[].
    uint64_t data[RELAY_ABI_VERDICT_COUNT];                      // bytes of what was relayed
    uint64_t packet_sizes[HISTOGRAM_LEN(RELAY_ABI_SIZE_COUNT)];  // likewise, each packet once
    uint64_t durations[HISTOGRAM_LEN(RELAY_ABI_DURATION_COUNT)]; // of one packet among many
};

enum { XDP_COUNTS_COUNT = offsetof(struct xdp_counts, data) / sizeof(uint64_t) };

// Bounds of the two: bytes, nanoseconds.
extern const struct histogram_bounds xdp_counts_size_bounds;
extern const struct histogram_bounds xdp_counts_duration_bounds;

// For each verdict "<verdict>" in packets and "<verdict>_bytes" in bytes.
extern const struct metric xdp_counts_metrics[XDP_COUNTS_COUNT];

// Reads them: they grow from the time when the program was loaded, attached or not. -errno when
// the kernel does not give them, then *out is untouched.
MUST_USE int xdp_counts_read(const struct xdp_program *program, struct xdp_counts *out);
