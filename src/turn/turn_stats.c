// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_stats.h"

#include <stddef.h>

const struct metric turn_stats_metrics[TURN_STATS_COUNT] = {
#define TURN_STATS_METRIC(name, unit, help) {#name, unit, help, offsetof(struct turn_stats, name)},
    TURN_STATS(TURN_STATS_METRIC)
#undef TURN_STATS_METRIC
};
