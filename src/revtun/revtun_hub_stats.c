// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hub_stats.h"

#include <assert.h>
#include <stddef.h>

const struct metric revtun_hub_stats_metrics[REVTUN_HUB_STATS_COUNT] = {
#define REVTUN_HUB_STATS_ROW(name, unit, help) METRIC_ROW(struct revtun_hub_stats, name, unit, help)
    REVTUN_HUB_STATS(REVTUN_HUB_STATS_ROW)
#undef REVTUN_HUB_STATS_ROW
#define REVTUN_HUB_STATS_DENIED(NAME, name, code, key, words)                                      \
    {"binds_refused_" #name, "requests", "Of those, since " words ".",                             \
     offsetof(struct revtun_hub_stats, binds_denied) +                                             \
         (REVTUN_DENIAL_##NAME - 1) * sizeof(uint64_t)},
        REVTUN_DENIALS(REVTUN_HUB_STATS_DENIED)
#undef REVTUN_HUB_STATS_DENIED
};

uint64_t *revtun_hub_stats_denied(struct revtun_hub_stats *stats, enum revtun_denial_kind kind)
{
    assert(kind > REVTUN_DENIAL_NONE);
    assert(kind < REVTUN_DENIAL_END);
    return &stats->binds_denied[kind - 1];
}
