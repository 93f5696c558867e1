// SPDX-License-Identifier: Apache-2.0
// How a daemon ends: it takes nobody new, and goes on for what is there until the last one ends,
// until that takes too long, or until it is told again.
//
//      SERVING --told to end--> DRAINING --the last one ends, or it takes too long--> OVER
//         \                        `--told again------------------------------------^
//          `--there is nothing, or the timeout is 0--------------------------------^
//
// It logs what happens, and tells the service manager. Taking nobody new is the caller's.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "base/now.h"
#include "daemon/daemon_notify.h"

enum daemon_drain_state {
    DAEMON_DRAIN_SERVING,
    DAEMON_DRAIN_DRAINING,
    DAEMON_DRAIN_OVER,
};

// Of what it goes on for.
struct daemon_drain_words {
    const char *things; // "allocations"
    const char *begun;  // lines of the log
    const char *ended;  // the last one is gone
};

struct daemon_drain {
    enum daemon_drain_state state;
    uint32_t timeout_s; // a reload may change it
    const struct daemon_drain_words *words;
    const struct daemon_notify *notify;
    uint64_t end_ns;     // while DRAINING: it is over then, whatever is left
    uint32_t told_count; // likewise: things that the service manager knows of
};

// It serves. What is pointed to outlives it.
void daemon_drain_init(struct daemon_drain *drain, const struct daemon_drain_words *words,
                       const struct daemon_notify *notify, uint32_t timeout_s);

// A signal has told it to end. True: for the first time, so that the caller takes nobody new any
// more and calls daemon_drain_begin().
MUST_USE bool daemon_drain_signal(struct daemon_drain *drain, int number);
// It is to end, for a reason that has been logged, and so many things are there. It has been
// serving.
void daemon_drain_begin(struct daemon_drain *drain, uint32_t count, struct now now);
// Looks whether it is over, with so many things there. When to look again (monotonic ns); NEVER
// unless it drains.
uint64_t daemon_drain_tick(struct daemon_drain *drain, uint32_t count, struct now now);
