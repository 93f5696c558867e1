// SPDX-License-Identifier: Apache-2.0
// What a measurement has found: lines of progress, a table or JSON at the end.
#pragma once

#include <stdint.h>
#include <stdio.h>

#include "probe/probe_config.h"
#include "probe/probe_flood.h"

enum { PROBE_REPORT_ROWS_MAX = 256 };

// Packets through the server, of one kind.
struct probe_report_row {
    enum probe_way way;
    uint32_t train;
    uint32_t size;
    double overload_sent; // packets a second; 0: not measured
    double overload;      // of them delivered
    double loss_free;     // 0: not measured, or none
    bool is_limited_by_load;
};

struct probe_report_latency {
    double rate; // packets a second beside the samples
    uint32_t sent;
    uint32_t count; // that came back
    uint64_t p50_ns;
    uint64_t p99_ns;
    uint64_t p999_ns;
};

struct probe_report_flood {
    enum probe_flood_kind kind;
    double rate;       // datagrams a second that were sent
    double legitimate; // packets a second beside it
    double goodput;    // of these, the part that arrived
    bool is_held;      // the load sent all that it should
};

struct probe_report {
    const struct probe_config *config;
    struct probe_report_row rows[PROBE_REPORT_ROWS_MAX];
    uint32_t row_count;
    struct probe_report_latency latencies[2]; // at rest, at half load
    uint32_t latency_count;
    struct probe_report_flood floods[PROBE_FLOOD_KIND_COUNT * PROBE_CONFIG_FLOODS_MAX];
    uint32_t flood_count;
    double allocations; // a second; 0: not measured
};

// A line of progress, if somebody looks at standard error.
void probe_report_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

void probe_report_table(const struct probe_report *report, FILE *out);
void probe_report_json(const struct probe_report *report, FILE *out);
