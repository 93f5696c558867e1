// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_pipes.h"

#include <assert.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "io/io_fd.h"

void io_pipes_open(struct io_pipes *pipes)
{
    *pipes = (struct io_pipes){.open = NULL};
    for (uint32_t i = 0; i < IO_PIPES_MAX; i++) {
        pipes->pipes[i] = (struct io_pipe){.read_fd = -1, .write_fd = -1, .next = pipes->closed};
        pipes->closed = &pipes->pipes[i];
    }
}

static struct io_pipe *pop(struct io_pipe **list)
{
    struct io_pipe *pipe = *list;

    *list = pipe->next;
    pipe->next = NULL;
    return pipe;
}

static void push(struct io_pipe **list, struct io_pipe *pipe)
{
    assert(pipe->next == NULL);
    pipe->next = *list;
    *list = pipe;
}

static void close_pipe(struct io_pipes *pipes, struct io_pipe *pipe)
{
    io_fd_close(&pipe->read_fd);
    io_fd_close(&pipe->write_fd);
    push(&pipes->closed, pipe);
}

void io_pipes_close(struct io_pipes *pipes)
{
    assert(pipes->lent_count == 0);
    for (; pipes->open_count > 0; pipes->open_count--) {
        close_pipe(pipes, pop(&pipes->open));
    }
}

// False when the system grants none that is worth while.
static bool open_pipe(struct io_pipe *pipe)
{
    IO_FD_AUTO int read_fd = -1;
    IO_FD_AUTO int write_fd = -1;
    int fds[2];

    if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0) {
        return false;
    }
    read_fd = fds[0];
    write_fd = fds[1];
    // A wish; what has come of it is asked next.
    IGNORE(fcntl(write_fd, F_SETPIPE_SZ, IO_PIPES_LEN));
    if (fcntl(write_fd, F_GETPIPE_SZ) < IO_PIPES_LEN_MIN) {
        return false;
    }
    pipe->read_fd = io_fd_take(&read_fd);
    pipe->write_fd = io_fd_take(&write_fd);
    return true;
}

static struct io_pipe *take_new(struct io_pipes *pipes)
{
    if (pipes->closed == NULL) {
        return NULL;
    }
    if (pipes->pause_count > 0) {
        pipes->pause_count--;
        return NULL;
    }
    struct io_pipe *pipe = pop(&pipes->closed);
    if (!open_pipe(pipe)) {
        push(&pipes->closed, pipe);
        pipes->pause_count = IO_PIPES_PAUSE;
        return NULL;
    }
    return pipe;
}

struct io_pipe *io_pipes_take(struct io_pipes *pipes)
{
    struct io_pipe *pipe = NULL;

    if (pipes->open_count > 0) {
        pipe = pop(&pipes->open);
        pipes->open_count--;
    } else {
        pipe = take_new(pipes);
    }
    if (pipe == NULL) {
        pipes->refused_count++;
        return NULL;
    }
    pipes->lent_count++;
    return pipe;
}

void io_pipes_give(struct io_pipes *pipes, struct io_pipe *pipe, size_t left_len)
{
    assert(pipe->read_fd >= 0);
    assert(pipes->lent_count > 0);
    pipes->lent_count--;
    if (left_len == 0 && pipes->open_count < IO_PIPES_KEPT_MAX) {
        push(&pipes->open, pipe);
        pipes->open_count++;
    } else {
        close_pipe(pipes, pipe);
    }
}
