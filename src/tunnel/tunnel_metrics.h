// SPDX-License-Identifier: Apache-2.0
// What the relay tells Prometheus of itself.
#pragma once

#include <stddef.h>

#include "base/bytes.h"
#include "base/metric.h"
#include "tunnel/tunnel_board.h"

enum { TUNNEL_METRICS_TEXT_MAX = 64 * 1024 }; // bytes of the text, whatever has been counted

// Its own; the offsets are in struct tunnel_snapshot.
extern const struct metric_family tunnel_metrics_families[];
extern const size_t tunnel_metrics_family_count;

// Writes all of a snapshot, and what is told of the process, in Prometheus' form.
void tunnel_metrics_write(struct wr *wr, const struct tunnel_snapshot *snapshot);
