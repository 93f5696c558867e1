// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_counts.h"

static void add(const struct metric *metrics, size_t count, void *sum, const void *part)
{
    for (size_t i = 0; i < count; i++) {
        *metric_place(&metrics[i], sum) += metric_value(&metrics[i], part);
    }
}

void relay_counts_add(struct relay_counts *sum, const struct relay_counts *part)
{
    add(turn_stats_metrics, TURN_STATS_COUNT, &sum->turn, &part->turn);
    add(relay_stats_metrics, RELAY_STATS_COUNT, &sum->sockets, &part->sockets);
}

void relay_counts_log(const struct relay_counts *counts)
{
    relay_stats_log("traffic", turn_stats_metrics, TURN_STATS_COUNT, &counts->turn);
    relay_stats_log("sockets", relay_stats_metrics, RELAY_STATS_COUNT, &counts->sockets);
}
