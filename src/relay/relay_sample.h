// SPDX-License-Identifier: Apache-2.0
// What `fairlead-relay top` is told (daemon_sample.h): gauges, totals, drops, and of each
// allocation
//
//      allocation NUMBER{15} ADDR ADDR ADDR NAME      the fields of a row, in their order
//
#pragma once

#include "base/bytes.h"
#include "base/now.h"
#include "daemon/daemon_sample.h"
#include "relay/relay_snapshot.h"
#include "relay/relay_survey.h"

enum {
    RELAY_SAMPLE_ROW_TEXT_MAX = 768, // bytes of the longest line of an allocation
    RELAY_SAMPLE_HEAD_TEXT_MAX = 32768,
};

// The numbers of a row.
enum relay_sample_number {
    RELAY_SAMPLE_WORKER, // with index and generation it tells this allocation from all others
    RELAY_SAMPLE_INDEX,
    RELAY_SAMPLE_GENERATION,
    RELAY_SAMPLE_AGE_MS,
    RELAY_SAMPLE_LEFT_MS, // until it expires
    RELAY_SAMPLE_PERMISSIONS,
    RELAY_SAMPLE_CHANNELS,
    RELAY_SAMPLE_SOCKETS_TO_PEER_PACKETS, // as struct turn_usage has them, in that order
    RELAY_SAMPLE_SOCKETS_TO_PEER_BYTES,
    RELAY_SAMPLE_SOCKETS_TO_CLIENT_PACKETS,
    RELAY_SAMPLE_SOCKETS_TO_CLIENT_BYTES,
    RELAY_SAMPLE_KERNEL_TO_PEER_PACKETS,
    RELAY_SAMPLE_KERNEL_TO_PEER_BYTES,
    RELAY_SAMPLE_KERNEL_TO_CLIENT_PACKETS,
    RELAY_SAMPLE_KERNEL_TO_CLIENT_BYTES,
    RELAY_SAMPLE_NUMBERS,
};

// The texts of a row.
enum relay_sample_text {
    RELAY_SAMPLE_CLIENT,
    RELAY_SAMPLE_RELAYED,
    RELAY_SAMPLE_RELAYED_TOO, // "none" when there is one only
    RELAY_SAMPLE_NAME,
    RELAY_SAMPLE_TEXTS,
};

extern const struct daemon_sample_kind relay_sample_kind;

// Writes the `limit` allocations that have relayed the most; `entries` are put in another order.
void relay_sample_write(struct wr *wr, const struct relay_snapshot *snapshot,
                        struct relay_survey_entry *entries, uint32_t count, uint32_t limit,
                        struct now now);
