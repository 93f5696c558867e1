// SPDX-License-Identifier: Apache-2.0
// What workers have to tell the control thread: their counters when it asks, and how they ended.
//
// Each worker writes into its own place, and the descriptor becomes readable when the last answer
// is there or a worker ends. Nobody waits for anybody: of a worker that does not answer the control
// thread has what it posted last.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "relay/relay_counts.h"

struct relay_board_place {
    struct relay_counts counts;
    bool is_awaited; // it was asked and has not answered
};

struct relay_board {
    int fd; // an eventfd
    uint32_t count;
    pthread_mutex_t lock; // of what follows
    struct relay_board_place *places;
    uint32_t awaited_count;
    int error; // of the first worker that failed
};

// Places for so many workers. 0 or -errno. It does not move until it is closed.
MUST_USE int relay_board_open(struct relay_board *board, uint32_t count);
// Closing twice, or what was never opened but is all zero with an fd of -1, does nothing.
void relay_board_close(struct relay_board *board);

// The workers'.

void relay_board_post(struct relay_board *board, uint32_t worker,
                      const struct relay_counts *counts);
// The worker serves no more; `error` is why, or 0.
void relay_board_end(struct relay_board *board, uint32_t worker, int error);

// The control thread's.

// Awaits an answer of each worker from now on, also of those that were asked before.
void relay_board_ask(struct relay_board *board);
// Takes the ringing back.
void relay_board_hush(struct relay_board *board);
// How many have not answered.
uint32_t relay_board_awaited(struct relay_board *board);
// The sum of what all have posted last.
struct relay_counts relay_board_sum(struct relay_board *board);
// Why the first worker failed that did, or 0.
int relay_board_error(struct relay_board *board);
