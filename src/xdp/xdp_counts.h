// SPDX-License-Identifier: Apache-2.0
// What the kernel program has counted: packets and bytes by verdict, over all CPUs.
#pragma once

#include <stdint.h>

#include "base/metric.h"
#include "uapi/relay_abi.h"
#include "xdp/xdp_program.h"

// By enum relay_abi_verdict.
struct xdp_counts {
    uint64_t packets[RELAY_ABI_VERDICT_COUNT];
    uint64_t bytes[RELAY_ABI_VERDICT_COUNT]; // whole frames as they came in
};

enum { XDP_COUNTS_COUNT = sizeof(struct xdp_counts) / sizeof(uint64_t) };

// For each verdict "<verdict>" in packets and "<verdict>_bytes" in bytes.
extern const struct metric xdp_counts_metrics[XDP_COUNTS_COUNT];

// Reads them: they grow from the time when the program was loaded, attached or not. -errno when
// the kernel does not give them, then *out is untouched.
MUST_USE int xdp_counts_read(const struct xdp_program *program, struct xdp_counts *out);
