// SPDX-License-Identifier: Apache-2.0
// A list of the allocations of all workers, for whoever watches the relay.
//
// Workers fill it a few allocations at a time, and serve packets in between: whoever asks waits,
// but not for ever, and gets what there is by then. Memory is taken when one is asked for, and as
// much as the relay may have allocations.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "relay/relay_mailbox.h"
#include "relay/relay_offload.h"
#include "turn/turn_server.h"

enum {
    RELAY_SURVEY_STEP = 32,          // allocations that a worker adds in one turn of its loop
    RELAY_SURVEY_STEP_PLACES = 4096, // places that it looks at, taken or not
};

struct relay_survey_entry {
    struct turn_life life;
    struct turn_usage kernel;
    uint32_t worker;
};

// Where a worker is; its own.
struct relay_survey_cursor {
    uint64_t round;
    uint32_t index; // of turn_life_next()
};

struct relay_survey {
    pthread_mutex_t lock; // of what follows
    pthread_cond_t done;
    uint64_t round;         // 0: none yet; odd while one is open
    uint32_t pending_count; // workers that have more to add
    struct relay_survey_entry *entries;
    uint32_t capacity;
    uint32_t count;
    // The workers', by number.
    struct relay_survey_cursor *cursors;
    uint32_t worker_count;
};

// 0 or -errno. It does not move until it is closed.
MUST_USE int relay_survey_open(struct relay_survey *survey, uint32_t worker_count);
// Closing twice, or what is all zero, does nothing.
void relay_survey_close(struct relay_survey *survey);

// Any thread's, one at a time.

// Has the workers listed, which are told by their mailboxes, and waits up to `timeout_ns`. At most
// `capacity` entries; *out is borrowed until relay_survey_end(). How many, of any order.
MUST_USE uint32_t relay_survey_take(struct relay_survey *survey, struct relay_mailbox *mailboxes,
                                    uint32_t capacity, uint64_t timeout_ns,
                                    struct relay_survey_entry **out);
void relay_survey_end(struct relay_survey *survey);

// The workers'.

// Adds a few. True: there is more to add, and the worker is to come again soon.
MUST_USE bool relay_survey_step(struct relay_survey *survey, uint32_t worker,
                                const struct turn_server *server, struct relay_offload *offload);
