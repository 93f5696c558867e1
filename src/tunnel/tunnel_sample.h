// SPDX-License-Identifier: Apache-2.0
// What `fairlead-tunnel top` is told: how the relay is at one moment, as lines of fields.
//
//      version TEXT
//      time_ms NUMBER                 monotonic
//      gauge NAME NUMBER              what there is now
//      server NUMBER{8} ADDR          the fields of a row, in their order
//      end
//
// Lines that a reader does not know it passes over.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    TUNNEL_SAMPLE_GAUGE_MAX = 16,
    TUNNEL_SAMPLE_LINE_MAX = 256,      // bytes of the longest line
    TUNNEL_SAMPLE_ROW_MAX = UINT16_MAX // as many as there may be ports
};

// The numbers of a server.
enum tunnel_sample_number {
    TUNNEL_SAMPLE_PORT,         // public; with the next one it tells this server from all others
    TUNNEL_SAMPLE_LINKED_S,     // Unix time
    TUNNEL_SAMPLE_AGE_S,        // since then
    TUNNEL_SAMPLE_SESSIONS,     // now
    TUNNEL_SAMPLE_WAITING,      // clients
    TUNNEL_SAMPLE_ENDED,        // sessions
    TUNNEL_SAMPLE_FROM_CLIENTS, // bytes of all its sessions
    TUNNEL_SAMPLE_TO_CLIENTS,
    TUNNEL_SAMPLE_NUMBERS,
};

struct tunnel_sample_row {
    uint64_t numbers[TUNNEL_SAMPLE_NUMBERS];
    struct bytes server; // its address, as text
};

struct tunnel_sample_gauge {
    struct bytes name;
    uint64_t value;
};

// Texts in it are borrowed from what was read.
struct tunnel_sample {
    struct bytes version;
    uint64_t time_ms;
    struct tunnel_sample_gauge gauges[TUNNEL_SAMPLE_GAUGE_MAX];
    size_t gauge_count;
    struct tunnel_sample_row *rows; // memory of malloc()
    size_t row_count;
};

void tunnel_sample_gauge_write(struct wr *wr, const char *name, uint64_t value);
void tunnel_sample_row_write(struct wr *wr, const struct tunnel_sample_row *row);

// False, with *out untouched: it is no whole sample, or there is no memory.
MUST_USE bool tunnel_sample_read(struct bytes text, struct tunnel_sample *out);
// Freeing twice, or what is all zero, does nothing.
void tunnel_sample_free(struct tunnel_sample *sample);

// A gauge, or 0 if it is not told.
uint64_t tunnel_sample_gauge(const struct tunnel_sample *sample, const char *name);
