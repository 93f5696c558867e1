// SPDX-License-Identifier: Apache-2.0
#include "io/io_accept.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>

#include "io/io_clock.h"
#include "io/io_fd.h"

#define PAUSE_NS (IO_ACCEPT_PAUSE_MS * (SECOND_NS / 1000))

static int open_spare(void)
{
    return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

int io_accept_open(struct io_accept *accept, struct io_loop *loop, io_accept_short_fn on_short,
                   void *context)
{
    *accept = (struct io_accept){
        .loop = loop, .on_short = on_short, .context = context, .spare_fd = open_spare()};
    if (accept->spare_fd < 0) {
        const int error = -errno;
        accept->loop = NULL;
        return error;
    }
    return 0;
}

void io_accept_close(struct io_accept *accept)
{
    if (accept->loop == NULL) {
        return;
    }
    while (accept->first != NULL) {
        io_accept_stop(accept->first);
    }
    io_fd_close(&accept->spare_fd);
    accept->loop = NULL;
}

bool io_accept_is_short(const struct io_accept *accept)
{
    return accept->spare_fd < 0;
}

static void refill_spare(struct io_accept *accept)
{
    if (accept->spare_fd < 0) {
        accept->spare_fd = open_spare();
    }
}

// What waits is left waiting for a moment.
static void pause_all(struct io_accept *accept)
{
    for (struct io_accept_at *at = accept->first; at != NULL; at = at->next) {
        io_loop_remove(accept->loop, &at->watch);
    }
    accept->pause_end_ns = io_clock_mono_ns() + PAUSE_NS;
}

static void resume_all(struct io_accept *accept)
{
    accept->pause_end_ns = 0;
    for (struct io_accept_at *at = accept->first; at != NULL; at = at->next) {
        if (io_loop_add(accept->loop, &at->watch, IO_READABLE) != 0) {
            pause_all(accept);
            return;
        }
    }
}

static int take(struct io_accept *accept, int listen_fd, int *fd, struct addr *from)
{
    const int error = io_tcp_accept(listen_fd, fd, from);

    if ((error != -EMFILE && error != -ENFILE) || accept->spare_fd < 0) {
        return error;
    }
    io_fd_close(&accept->spare_fd); // and once more, in its place
    return io_tcp_accept(listen_fd, fd, from);
}

static void on_readable(struct io_watch *watch, uint32_t events)
{
    struct io_accept_at *at = watch->context;
    struct io_accept *accept = at->accept;

    (void)events;
    for (int i = 0; i < IO_ACCEPT_BURST_MAX && watch->events != 0; i++) {
        struct addr from = {0};
        int fd = -1;
        refill_spare(accept); // the last one may have given its place back
        const int error = take(accept, watch->fd, &fd, &from);
        if (error == -EAGAIN) {
            return;
        }
        if (error == 0) {
            at->on_connection(at, fd, &from);
        } else if (!io_tcp_is_passing(error)) {
            pause_all(accept);
            if (accept->on_short != NULL) {
                accept->on_short(accept->context, error);
            }
        }
    }
}

int io_accept_listen(struct io_accept *accept, struct io_accept_at *at, const struct addr *addr,
                     const struct io_tcp_options *options, struct addr *bound)
{
    struct addr own = {0};
    IO_FD_AUTO int fd = -1;
    int error = io_tcp_listen(addr, options, &fd, &own);

    assert(at->on_connection != NULL);
    at->watch = (struct io_watch){.fd = fd, .fn = on_readable, .context = at};
    if (error == 0 && accept->pause_end_ns == 0) {
        error = io_loop_add(accept->loop, &at->watch, IO_READABLE);
    }
    if (error != 0) {
        at->watch.fd = -1;
        return error;
    }
    at->accept = accept;
    at->previous = NULL;
    at->next = accept->first;
    if (at->next != NULL) {
        at->next->previous = at;
    }
    accept->first = at;
    *bound = own;
    IGNORE(io_fd_take(&fd)); // the watch has it
    return 0;
}

void io_accept_stop(struct io_accept_at *at)
{
    if (at->accept == NULL || at->watch.fd < 0) {
        return;
    }
    struct io_accept_at **link = at->previous != NULL ? &at->previous->next : &at->accept->first;
    assert(*link == at);
    *link = at->next;
    if (at->next != NULL) {
        assert(at->next->previous == at);
        at->next->previous = at->previous;
    }
    io_loop_remove(at->accept->loop, &at->watch);
    io_fd_close(&at->watch.fd);
}

uint64_t io_accept_tick(struct io_accept *accept, uint64_t now_ns)
{
    refill_spare(accept);
    if (accept->pause_end_ns != 0 && accept->pause_end_ns <= now_ns) {
        resume_all(accept);
    }
    return accept->pause_end_ns != 0 ? accept->pause_end_ns : NEVER;
}
