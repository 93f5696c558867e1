// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_board.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include "io/io_fd.h"

int relay_board_open(struct relay_board *board, uint32_t count)
{
    *board = (struct relay_board){
        .fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
        .count = count,
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
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

static void ring(struct relay_board *board)
{
    // It fails when nobody has looked for 2^64 times.
    IGNORE(eventfd_write(board->fd, 1));
}

// The lock is held.
static void answer(struct relay_board *board, struct relay_board_place *place)
{
    if (place->is_awaited) {
        place->is_awaited = false;
        assert(board->awaited_count > 0);
        board->awaited_count--;
        if (board->awaited_count == 0) {
            ring(board);
        }
    }
}

void relay_board_post(struct relay_board *board, uint32_t worker, const struct relay_counts *counts)
{
    assert(worker < board->count);
    pthread_mutex_lock(&board->lock);
    board->places[worker].counts = *counts;
    answer(board, &board->places[worker]);
    pthread_mutex_unlock(&board->lock);
}

void relay_board_end(struct relay_board *board, uint32_t worker, int error)
{
    assert(worker < board->count);
    pthread_mutex_lock(&board->lock);
    board->error = board->error != 0 ? board->error : error;
    answer(board, &board->places[worker]);
    ring(board);
    pthread_mutex_unlock(&board->lock);
}

void relay_board_ask(struct relay_board *board)
{
    pthread_mutex_lock(&board->lock);
    for (uint32_t i = 0; i < board->count; i++) {
        board->places[i].is_awaited = true;
    }
    board->awaited_count = board->count;
    pthread_mutex_unlock(&board->lock);
}

void relay_board_hush(struct relay_board *board)
{
    eventfd_t count = 0;

    IGNORE(eventfd_read(board->fd, &count)); // it may not have rung
}

uint32_t relay_board_awaited(struct relay_board *board)
{
    pthread_mutex_lock(&board->lock);
    const uint32_t count = board->awaited_count;
    pthread_mutex_unlock(&board->lock);
    return count;
}

struct relay_counts relay_board_sum(struct relay_board *board)
{
    struct relay_counts sum = {0};

    pthread_mutex_lock(&board->lock);
    for (uint32_t i = 0; i < board->count; i++) {
        relay_counts_add(&sum, &board->places[i].counts);
    }
    pthread_mutex_unlock(&board->lock);
    return sum;
}

int relay_board_error(struct relay_board *board)
{
    pthread_mutex_lock(&board->lock);
    const int error = board->error;
    pthread_mutex_unlock(&board->lock);
    return error;
}
