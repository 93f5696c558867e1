// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_stats.h"

#include <assert.h>
#include <stddef.h>

const struct metric turn_stats_metrics[TURN_STATS_COUNT] = {
#define TURN_STATS_ROW(name, unit, help) METRIC_ROW(struct turn_stats, name, unit, help)
    TURN_STATS(TURN_STATS_ROW)
#undef TURN_STATS_ROW
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

// Which of our methods: one of these comes here, whatever a stranger sends.
static enum turn_stats_method method_of(enum stun_method method)
{
    switch (method) {
#define METHOD(NAME)                                                                               \
    case STUN_##NAME:                                                                              \
        return TURN_STATS_##NAME;
        TURN_STATS_METHODS(METHOD)
#undef METHOD
    case STUN_SEND:
    case STUN_DATA:
        break;
    }
    assert(!"a method of requests");
    return TURN_STATS_BINDING;
}

static enum turn_stats_outcome outcome_of(enum stun_error_code code)
{
    switch (code) {
    case STUN_ERROR_NONE:
        return TURN_STATS_SUCCESS;
#define OUTCOME(NAME, number, reason)                                                              \
    case STUN_ERROR_##NAME:                                                                        \
        return TURN_STATS_##NAME;
        STUN_ERRORS(OUTCOME)
#undef OUTCOME
    }
    assert(!"an error code of ours");
    return TURN_STATS_SUCCESS;
}

uint64_t *turn_stats_response(struct turn_stats *stats, enum stun_method method,
                              enum stun_error_code code)
{
    return &stats->responses[method_of(method)][outcome_of(code)];
}

const char *turn_stats_word(enum stun_method method)
{
    static const char *const words[] = {
#define WORD(NAME) [TURN_STATS_##NAME] = TURN_STATS_WORD_##NAME,
        TURN_STATS_METHODS(WORD)
#undef WORD
    };

    return words[method_of(method)];
}
