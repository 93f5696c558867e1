// SPDX-License-Identifier: Apache-2.0
// An ExportMetricsServiceRequest, made of a program's table of metrics and its counters.
//
// Counters are given twice: as they are, and as they were when a collector took the last request.
// What is told follows from both. In the standard's preference "lowmemory", which is that of
// Firezone's relay, counters and histograms are deltas, and what also falls is cumulative. So
// nothing is lost when a request is: the next one's deltas begin where those of the last taken one
// ended, and nothing is kept but one copy of the counters.
//
// A delta of nothing is left out, and so is a metric without points, and METRIC_FOREIGN.
//
// A METRIC_GAUGE of things that are counted ("{allocation}") is a sum that also falls; one of unit
// "1", which cannot be added to another, is a gauge there too.
#pragma once

#include "telemetry/telemetry_otlp.h"

// OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE. Its "delta" is "lowmemory" here, where no
// instrument is asynchronous.
enum telemetry_otlp_temporality {
    TELEMETRY_OTLP_LOW_MEMORY,
    TELEMETRY_OTLP_CUMULATIVE,
};

enum { TELEMETRY_OTLP_SCOPE_MAX = 4 };

// Unix times in ns, none before the one above it.
struct telemetry_otlp_window {
    uint64_t start_ns; // of the program
    uint64_t since_ns; // of `before`
    uint64_t now_ns;   // of `now`
    enum telemetry_otlp_temporality temporality;
};

// A meter, and how the names of its metrics begin.
struct telemetry_otlp_scope {
    const char *name;
    const char *prefix;
};

struct telemetry_otlp_metrics {
    const struct telemetry_resource *resource;
    const struct telemetry_otlp_scope *scopes; // each family is of one of them
    size_t scope_count;                        // up to TELEMETRY_OTLP_SCOPE_MAX
    const struct metric_family *families;
    size_t family_count;
    const void *now;    // the struct that the families describe
    const void *before; // another; all zero at first
    struct telemetry_otlp_window window;
};

// Writes a request; empties the arena first. False when the arena or `out` is too small.
MUST_USE bool telemetry_otlp_metrics_write(const struct telemetry_otlp_metrics *metrics,
                                           struct telemetry_arena *arena, struct wr *out);
