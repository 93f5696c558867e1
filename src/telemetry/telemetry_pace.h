// SPDX-License-Identifier: Apache-2.0
// When a signal is sent next: regularly, sooner after a failure that may pass, and later if the
// collector asks for it.
//
// After the first such failure the next try comes in about a second, then each wait is twice the
// one before, until it is the regular interval. It is a quarter more or less, by chance, so that
// many relays do not try at the same moment.
#pragma once

#include <stdint.h>

#include "telemetry/telemetry_answer.h"

struct telemetry_pace {
    uint64_t interval_ns;
    uint64_t due_ns; // of the next request (monotonic)
    uint32_t tries;  // that have failed one after the other
};

// The first request is due after one interval.
void telemetry_pace_init(struct telemetry_pace *pace, uint64_t interval_ns, uint64_t now_ns);

// A request was sent and answered so, now. `chance` is any random number.
void telemetry_pace_answered(struct telemetry_pace *pace, const struct telemetry_answer *answer,
                             uint64_t now_ns, uint32_t chance);
