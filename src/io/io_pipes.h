// SPDX-License-Identifier: Apache-2.0
// Pipes to splice(2) through, lent out for as long as there are bytes in them.
//
// One of IO_PIPES_LEN is asked for, and what the system grants is taken if it is worth while: a
// user without privileges has 64 MiB of them (pipe(7), pipe-user-pages-soft), and gets two pages
// each beyond. Whoever gets none copies.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum {
    IO_PIPES_LEN = 256 * 1024,    // bytes that a pipe should hold
    IO_PIPES_LEN_MIN = 64 * 1024, // and that are worth while
    IO_PIPES_MAX = 64,            // lent out at once: 16 MiB
    IO_PIPES_KEPT_MAX = 4,        // open while nobody has them
    IO_PIPES_PAUSE = 256,         // requests that are refused unseen after the system refused one
    IO_PIPES_DESCRIPTORS = 2 * IO_PIPES_MAX,
};

struct io_pipe {
    int read_fd; // -1: not open
    int write_fd;
    struct io_pipe *next; // of those that nobody has
};

// Those of one thread, in the caller's memory, where they do not move.
struct io_pipes {
    struct io_pipe pipes[IO_PIPES_MAX];
    struct io_pipe *open;   // that nobody has, and are empty
    struct io_pipe *closed; // places for more
    uint32_t open_count;
    uint32_t lent_count;
    uint32_t pause_count;   // requests still to be refused unseen
    uint64_t refused_count; // so far
};

void io_pipes_open(struct io_pipes *pipes);
// All have been given back.
void io_pipes_close(struct io_pipes *pipes);

// Lends a pipe, which is empty and whose ends are non-blocking, or NULL.
struct io_pipe *io_pipes_take(struct io_pipes *pipes);
// Takes it back. One that is not empty is closed, and its bytes are lost.
void io_pipes_give(struct io_pipes *pipes, struct io_pipe *pipe, size_t left_len);
