// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hub_stats.h"

#include <stddef.h>

const struct metric revtun_hub_stats_metrics[REVTUN_HUB_STATS_COUNT] = {
#define REVTUN_HUB_STATS_ROW(name, unit, help) METRIC_ROW(struct revtun_hub_stats, name, unit, help)
    REVTUN_HUB_STATS(REVTUN_HUB_STATS_ROW)
#undef REVTUN_HUB_STATS_ROW
};
