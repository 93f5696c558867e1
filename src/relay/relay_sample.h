// SPDX-License-Identifier: Apache-2.0
// What `fairlead-relay top` is told: how the relay is at one moment, as lines of fields.
//
//      version TEXT
//      time_ms NUMBER                 monotonic
//      gauge NAME NUMBER              what there is now
//      total NAME NUMBER              what was relayed since the start: sockets' or kernel's
//      drop NAME NUMBER WORDS         what was dropped or refused since then, if it was at all
//      left_out NUMBER                allocations that are not told
//      allocation NUMBER{15} ADDR ADDR ADDR NAME      the fields of a row, in their order
//      end
//
// Lines that a reader does not know it passes over.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "relay/relay_snapshot.h"
#include "relay/relay_survey.h"

enum {
    RELAY_SAMPLE_NAMED_MAX = 192, // gauges, totals and drops that a reader keeps
    RELAY_SAMPLE_LIMIT_MAX = 65536,
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

struct relay_sample_row {
    uint64_t numbers[RELAY_SAMPLE_NUMBERS];
    struct bytes client;
    struct bytes relayed;
    struct bytes relayed_too; // "none" when there is one only
    struct bytes name;
};

enum relay_sample_kind {
    RELAY_SAMPLE_GAUGE,
    RELAY_SAMPLE_TOTAL,
    RELAY_SAMPLE_DROP,
};

struct relay_sample_named {
    enum relay_sample_kind kind;
    struct bytes name;
    uint64_t value;
    struct bytes words;
};

// As it was read; spans are borrowed from the text.
struct relay_sample {
    struct bytes version;
    uint64_t time_ms;
    struct relay_sample_named named[RELAY_SAMPLE_NAMED_MAX];
    size_t named_count;
    struct relay_sample_row *rows; // memory of malloc()
    size_t row_count;
    uint64_t left_out;
};

// Writes the `limit` allocations that have relayed the most; `entries` are put in another order.
void relay_sample_write(struct wr *wr, const struct relay_snapshot *snapshot,
                        struct relay_survey_entry *entries, uint32_t count, uint32_t limit,
                        struct now now);

// False, with nothing to free, when there is no "end", a line is broken, or there is no memory.
MUST_USE bool relay_sample_read(struct bytes text, struct relay_sample *out);
void relay_sample_free(struct relay_sample *sample);
