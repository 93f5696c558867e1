// SPDX-License-Identifier: Apache-2.0
// Deadlines of one thread, each with a function that is called when it has come.
#pragma once

#include <stdint.h>

#include "base/heap.h"
#include "base/macro.h"
#include "base/now.h"

struct tunnel_timer;

typedef void (*tunnel_timer_fn)(struct tunnel_timer *timer);

// The caller sets the first two; it does not move while it is set. All else zero: it is not set.
struct tunnel_timer {
    tunnel_timer_fn fn;
    void *context;
    uint32_t number; // among those that are set, plus one; 0: it is not set
};

// In the caller's memory.
struct tunnel_timers {
    struct heap heap;
    void *memory;
    struct tunnel_timer **set; // by number
    uint32_t *unused;          // numbers that no timer has, as a stack
    uint32_t unused_count;
};

// For so many that are set at a time. -ENOMEM.
MUST_USE int tunnel_timers_open(struct tunnel_timers *timers, uint32_t capacity);
// They are forgotten. Closing twice does nothing.
void tunnel_timers_close(struct tunnel_timers *timers);

// Sets it, or moves it.
void tunnel_timers_set(struct tunnel_timers *timers, struct tunnel_timer *timer, uint64_t at_ns);
// Nothing happens when it is not set.
void tunnel_timers_clear(struct tunnel_timers *timers, struct tunnel_timer *timer);

// Calls those whose time has come; they are not set any more then.
void tunnel_timers_tick(struct tunnel_timers *timers, uint64_t now_ns);
// When that is to be called next, or NEVER.
uint64_t tunnel_timers_deadline(const struct tunnel_timers *timers);
