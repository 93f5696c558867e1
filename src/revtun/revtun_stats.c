// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_stats.h"

#include <assert.h>

const struct metric revtun_stats_metrics[REVTUN_STATS_COUNT] = {
#define REVTUN_STATS_ROW(name, unit, help) METRIC_ROW(struct revtun_stats, name, unit, help)
    REVTUN_STATS(REVTUN_STATS_ROW)
#undef REVTUN_STATS_ROW
#define REVTUN_STATS_REFUSED(NAME, name, words)                                                    \
    {"refused_" #name, "connections", "Clients reset: " words ".",                                 \
     offsetof(struct revtun_stats, refused) + (REVTUN_REFUSAL_##NAME - 1) * sizeof(uint64_t)},
        REVTUN_REFUSALS(REVTUN_STATS_REFUSED)
#undef REVTUN_STATS_REFUSED
};

uint64_t *revtun_stats_refused(struct revtun_stats *stats, enum revtun_refusal refusal)
{
    assert(refusal > REVTUN_REFUSAL_NONE);
    assert(refusal < REVTUN_REFUSAL_END);
    return &stats->refused[refusal - 1];
}
