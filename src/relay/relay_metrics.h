// SPDX-License-Identifier: Apache-2.0
// What the relay tells of itself, as series: the tables that every form of export reads.
#pragma once

#include <stddef.h>

#include "base/bytes.h"
#include "base/metric.h"
#include "relay/relay_snapshot.h"

enum { RELAY_METRICS_TEXT_MAX = 256 * 1024 }; // bytes of the text, whatever has been counted

// The relay's own, by names of OpenTelemetry; those of Firezone's relay are among them, with its
// units, bounds and labels. The offsets are in struct relay_snapshot. To export:
//
//      relay_snapshot_take(&snapshot, share);
//      for each family, for each of its series:
//          metric_series_value(series, &snapshot)
extern const struct metric_family relay_metrics_families[];
extern const size_t relay_metrics_family_count;

// All that is told to Prometheus, in this order.
enum relay_metrics_group_name {
    RELAY_METRICS_OWN,     // the above
    RELAY_METRICS_PROCESS, // of the process (daemon_process.h)
    RELAY_METRICS_COTURN,  // coturn's names (relay_coturn.h)
    RELAY_METRICS_GROUP_COUNT,
};

struct relay_metrics_group {
    const struct metric_family *families;
    size_t count;
    size_t offset; // in struct relay_snapshot, of the struct whose numbers they are
};
struct relay_metrics_group relay_metrics_group(enum relay_metrics_group_name name);

// Writes the whole in Prometheus' form (TELEMETRY_PROMETHEUS_TYPE). The cursor wants
// RELAY_METRICS_TEXT_MAX bytes of room.
void relay_metrics_write(struct wr *wr, const struct relay_snapshot *snapshot);
