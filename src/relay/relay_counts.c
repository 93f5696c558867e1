// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_counts.h"

void relay_counts_add(struct relay_counts *sum, const struct relay_counts *part)
{
    uint64_t *to = (void *)sum;
    const uint64_t *from = (const void *)part;

    for (size_t i = 0; i < sizeof *sum / sizeof *to; i++) {
        to[i] += from[i];
    }
}

void relay_counts_log(const struct relay_counts *counts)
{
    relay_stats_log("traffic", turn_stats_metrics, TURN_STATS_COUNT, &counts->turn);
    relay_stats_log("sockets", relay_stats_metrics, RELAY_STATS_COUNT, &counts->sockets);
}
