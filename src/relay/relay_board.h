// SPDX-License-Identifier: Apache-2.0
// What workers have to tell other threads: their counters when one asks, and how they ended.
//
// Each worker writes into its own place. Any thread asks, by a new round, and may wait for the
// answers to it, but not for ever: of a worker that does not answer there is what it posted last,
// and nobody waits for it any more until it posts again. A worker, which has packets to relay,
// waits for nobody.
// When a worker ends the descriptor becomes readable, for the control thread.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "relay/relay_counts.h"

struct relay_board_place {
    struct relay_counts counts;
    uint64_t round; // that its last answer was to
    bool is_serving;
    bool is_late; // somebody has waited for it in vain, and it has not posted since
};

struct relay_board {
    int fd; // an eventfd
    uint32_t count;
    _Atomic uint64_t round; // of the last question
    pthread_mutex_t lock;   // of what follows
    pthread_cond_t posted;
    struct relay_board_place *places;
    int error; // of the first worker that failed
};

// Places for so many workers, none of which serves yet. 0 or -errno. It does not move until it is
// closed.
MUST_USE int relay_board_open(struct relay_board *board, uint32_t count);
// Closing twice, or what was never opened but is all zero with an fd of -1, does nothing.
void relay_board_close(struct relay_board *board);

// The workers'.

// The worker serves from now on: its answers are waited for.
void relay_board_begin(struct relay_board *board, uint32_t worker);
// The round that is to be answered. Whoever asks later than this returns is not answered by what
// is counted now.
uint64_t relay_board_round(struct relay_board *board);
// False: somebody else is at the board, and nothing was posted; it is to be tried again soon.
MUST_USE bool relay_board_post(struct relay_board *board, uint32_t worker, uint64_t round,
                               const struct relay_counts *counts);
// The worker serves no more, and these are its last counters; `error` is why, or 0.
void relay_board_end(struct relay_board *board, uint32_t worker, const struct relay_counts *counts,
                     int error);

// Any thread's.

// Begins a round; its number. The workers are to be told by their mailboxes.
uint64_t relay_board_ask(struct relay_board *board);
// Waits until all workers that serve have answered a round, but for those that are late anyway, and
// no longer than `timeout_ns`: how many have not answered, and are late from now on.
uint32_t relay_board_wait(struct relay_board *board, uint64_t round, uint64_t timeout_ns);
// Adds up what all have posted last.
void relay_board_sum(struct relay_board *board, struct relay_counts *out);

// The control thread's.

// Takes the ringing back.
void relay_board_hush(struct relay_board *board);
// Why the first worker failed that did, or 0.
int relay_board_error(struct relay_board *board);
