// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_stats.h"

#include <assert.h>
#include <stddef.h>

const struct metric turn_stats_metrics[TURN_STATS_COUNT] = {
#define TURN_STATS_METRIC(name, unit, help) {#name, unit, help, offsetof(struct turn_stats, name)},
    TURN_STATS(TURN_STATS_METRIC)
#undef TURN_STATS_METRIC
#define TURN_STATS_REFUSED(NAME, name, words)                                                      \
    {"refused_" #name, "requests", "Refused: " words ".",                                          \
     offsetof(struct turn_stats, refused) + (TURN_REFUSAL_##NAME - 1) * sizeof(uint64_t)},
        TURN_REFUSALS(TURN_STATS_REFUSED)
#undef TURN_STATS_REFUSED
};

uint64_t *turn_stats_refused(struct turn_stats *stats, enum turn_refusal refusal)
{
    assert(refusal > TURN_REFUSAL_NONE);
    assert(refusal < TURN_REFUSAL_END);
    return &stats->refused[refusal - 1];
}
