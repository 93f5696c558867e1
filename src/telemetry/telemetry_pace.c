// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_pace.h"

#include <assert.h>

#include "base/now.h"

enum { DOUBLING_MAX = 12 }; // an hour and more

void telemetry_pace_init(struct telemetry_pace *pace, uint64_t interval_ns, uint64_t now_ns)
{
    assert(interval_ns > 0);
    *pace = (struct telemetry_pace){.interval_ns = interval_ns, .due_ns = now_ns + interval_ns};
}

static uint64_t later_ns(const struct telemetry_pace *pace, uint32_t wait_s, uint32_t chance)
{
    const uint32_t doublings = pace->tries - 1 < DOUBLING_MAX ? pace->tries - 1 : DOUBLING_MAX;
    uint64_t wait_ns = SECOND_NS << doublings;

    wait_ns = wait_ns / 4 * 3 + (wait_ns / 2 * (chance & 0xffff) >> 16);
    if (wait_ns > pace->interval_ns) {
        wait_ns = pace->interval_ns;
    }
    const uint64_t wanted_ns = wait_s * SECOND_NS;
    return wait_ns > wanted_ns ? wait_ns : wanted_ns;
}

void telemetry_pace_answered(struct telemetry_pace *pace, const struct telemetry_answer *answer,
                             uint64_t now_ns, uint32_t chance)
{
    switch (answer->kind) {
    case TELEMETRY_ANSWER_TAKEN:
        pace->tries = 0;
        pace->due_ns = now_ns + pace->interval_ns;
        break;
    case TELEMETRY_ANSWER_LATER:
        pace->tries += pace->tries < UINT32_MAX;
        pace->due_ns = now_ns + later_ns(pace, answer->wait_s, chance);
        break;
    case TELEMETRY_ANSWER_REFUSED:
    case TELEMETRY_ANSWER_UNSUPPORTED:
        pace->tries += pace->tries < UINT32_MAX;
        pace->due_ns = now_ns + pace->interval_ns;
        break;
    }
}
