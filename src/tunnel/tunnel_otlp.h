// SPDX-License-Identifier: Apache-2.0
// What the reverse relay tells collectors, by the telemetry thread (daemon_otlp.h): its metrics
// (tunnel_metrics.h), and spans of sessions (tunnel_spans.h). When more spans wait than there is
// room for, the newest are lost.
#pragma once

#include "daemon/daemon_otlp.h"
#include "tunnel/tunnel_board.h"
#include "tunnel/tunnel_spans.h"

enum { TUNNEL_OTLP_SPAN_MAX = 1024 }; // that wait for a collector

struct tunnel_otlp {
    struct daemon_otlp daemon;
    struct tunnel_board *board;
    struct tunnel_spans *spans;
    struct tunnel_span waiting[TUNNEL_OTLP_SPAN_MAX];
    size_t waiting_count;
};

// As daemon_otlp_open(). Board and spans outlive it.
MUST_USE int tunnel_otlp_open(struct tunnel_otlp *otlp, const struct daemon_otlp_config *config,
                              struct tunnel_board *board, struct tunnel_spans *spans);
