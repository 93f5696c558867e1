// SPDX-License-Identifier: Apache-2.0
// An ExportTraceServiceRequest of spans that are roots of their traces.
#pragma once

#include <stdint.h>

#include "telemetry/telemetry_otlp.h"

enum {
    TELEMETRY_OTLP_TRACE_ID_LEN = 16,
    TELEMETRY_OTLP_SPAN_ID_LEN = 8,
    TELEMETRY_OTLP_SPAN_LABEL_MAX = 8,
};

struct telemetry_otlp_span {
    uint8_t trace_id[TELEMETRY_OTLP_TRACE_ID_LEN]; // random, not all zero
    uint8_t span_id[TELEMETRY_OTLP_SPAN_ID_LEN];   // likewise
    const char *name;
    uint64_t start_ns; // Unix time
    uint64_t end_ns;
    const char *failure; // what went wrong on our side, or NULL
    struct metric_label labels[TELEMETRY_OTLP_SPAN_LABEL_MAX]; // those that are there come first
};

// Writes a request with all spans; empties the arena first. False when the arena or `out` is too
// small.
MUST_USE bool telemetry_otlp_spans_write(struct telemetry_arena *arena,
                                         const struct telemetry_resource *resource,
                                         const char *scope, const struct telemetry_otlp_span *spans,
                                         size_t count, struct wr *out);
