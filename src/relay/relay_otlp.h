// SPDX-License-Identifier: Apache-2.0
// What the relay tells collectors, by the telemetry thread (daemon_otlp.h): its metrics
// (relay_metrics.h), and spans of clients' requests (relay_spans.h). When more spans wait than
// there is room for, the newest are lost.
#pragma once

#include "daemon/daemon_otlp.h"
#include "relay/relay_config.h"
#include "relay/relay_crew.h"
#include "relay/relay_snapshot.h"
#include "relay/relay_spans.h"

enum { RELAY_OTLP_SPAN_MAX = 1024 }; // that wait for a collector, of all workers

struct relay_otlp {
    struct daemon_otlp daemon;
    struct relay_crew *crew;
    struct relay_span waiting[RELAY_OTLP_SPAN_MAX];
    size_t waiting_count;
    uint64_t lost_count; // spans, as far as the log has it
};

// As daemon_otlp_open(). The crew is open, and outlives it: it has stopped when the telemetry
// thread is stopped, so that nothing is missing.
MUST_USE int relay_otlp_open(struct relay_otlp *otlp, const struct relay_config *config,
                             struct relay_crew *crew);
