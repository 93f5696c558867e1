// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_board.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "io/io_condition.h"
#include "io/io_fd.h"

int relay_board_open(struct relay_board *board, uint32_t count)
{
    *board = (struct relay_board){
        .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .count = count,
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    io_condition_init(&board->posted);
    if (board->fd < 0) {
        return -errno;
    }
    board->places = calloc(count, sizeof *board->places);
    if (board->places == NULL) {
        relay_board_close(board);
        return -ENOMEM;
    }
    return 0;
}

void relay_board_close(struct relay_board *board)
{
    free(board->places);
    board->places = NULL;
    io_fd_close(&board->fd);
}

void relay_board_begin(struct relay_board *board, uint32_t worker)
{
    assert(worker < board->count);
    pthread_mutex_lock(&board->lock);
    board->places[worker].is_serving = true;
    pthread_mutex_unlock(&board->lock);
}

uint64_t relay_board_round(struct relay_board *board)
{
    return atomic_load(&board->round);
}

bool relay_board_post(struct relay_board *board, uint32_t worker, uint64_t round,
                      const struct relay_counts *counts)
{
    assert(worker < board->count);
    assert(round <= atomic_load(&board->round));
    if (pthread_mutex_trylock(&board->lock) != 0) {
        return false;
    }
    board->places[worker].counts = *counts;
    board->places[worker].round = round;
    board->places[worker].is_late = false;
    IGNORE(pthread_cond_broadcast(&board->posted)); // it cannot fail
    pthread_mutex_unlock(&board->lock);
    return true;
}

void relay_board_end(struct relay_board *board, uint32_t worker, const struct relay_counts *counts,
                     int error)
{
    assert(worker < board->count);
    pthread_mutex_lock(&board->lock);
    board->places[worker].counts = *counts;
    board->places[worker].is_serving = false;
    board->error = board->error != 0 ? board->error : error;
    IGNORE(pthread_cond_broadcast(&board->posted)); // it cannot fail
    // It fails when nobody has looked for 2^64 times.
    IGNORE(eventfd_write(board->fd, 1));
    pthread_mutex_unlock(&board->lock);
}

uint64_t relay_board_ask(struct relay_board *board)
{
    return atomic_fetch_add(&board->round, 1) + 1;
}

static bool is_missing(const struct relay_board_place *place, uint64_t round)
{
    return place->is_serving && place->round < round;
}

// The lock is held.
static bool is_anybody_awaited(const struct relay_board *board, uint64_t round)
{
    for (uint32_t i = 0; i < board->count; i++) {
        if (is_missing(&board->places[i], round) && !board->places[i].is_late) {
            return true;
        }
    }
    return false;
}

uint32_t relay_board_wait(struct relay_board *board, uint64_t round, uint64_t timeout_ns)
{
    uint64_t left_ns = timeout_ns;
    uint32_t missing_count = 0;

    pthread_mutex_lock(&board->lock);
    while (left_ns > 0 && is_anybody_awaited(board, round)) {
        io_condition_wait(&board->posted, &board->lock, &left_ns);
    }
    for (uint32_t i = 0; i < board->count; i++) {
        struct relay_board_place *place = &board->places[i];
        if (is_missing(place, round)) {
            place->is_late = true;
            missing_count++;
        }
    }
    pthread_mutex_unlock(&board->lock);
    return missing_count;
}

void relay_board_sum(struct relay_board *board, struct relay_counts *out)
{
    *out = (struct relay_counts){0};
    pthread_mutex_lock(&board->lock);
    for (uint32_t i = 0; i < board->count; i++) {
        relay_counts_add(out, &board->places[i].counts);
    }
    pthread_mutex_unlock(&board->lock);
}

void relay_board_hush(struct relay_board *board)
{
    eventfd_t count = 0;

    IGNORE(eventfd_read(board->fd, &count)); // it may not have rung
}

int relay_board_error(struct relay_board *board)
{
    pthread_mutex_lock(&board->lock);
    const int error = board->error;
    pthread_mutex_unlock(&board->lock);
    return error;
}
