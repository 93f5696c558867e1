// SPDX-License-Identifier: Apache-2.0
#include "io/io_loop.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>

#include "io/io_clock.h"
#include "io/io_fd.h"

// epoll hands out pointers to watches, up to IO_LOOP_EVENT_MAX in a turn. Before the first callback
// runs, each of these watches learns its place among them; removing it empties that place. A watch
// that is added later in the turn, at the same address or with the same descriptor, has no place
// and so cannot meet an event that was meant for its predecessor.

#define MILLISECOND_NS (SECOND_NS / 1000)

int io_loop_open(struct io_loop *loop)
{
    *loop = (struct io_loop){.epoll_fd = epoll_create1(EPOLL_CLOEXEC)};
    return loop->epoll_fd < 0 ? -errno : 0;
}

void io_loop_close(struct io_loop *loop)
{
    assert(!loop->is_turning);
    io_fd_close(&loop->epoll_fd);
}

static int control(struct io_loop *loop, int operation, struct io_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    return epoll_ctl(loop->epoll_fd, operation, watch->fd, &event) == 0 ? 0 : -errno;
}

static bool is_askable(uint32_t events)
{
    const uint32_t asked = events & ~IO_EDGE;

    return asked != 0 &&
           (asked & ~(uint32_t)(IO_READABLE | IO_WRITABLE | IO_ENDED | IO_URGENT)) == 0;
}

int io_loop_add(struct io_loop *loop, struct io_watch *watch, uint32_t events)
{
    assert(watch->fd >= 0);
    assert(watch->fn != NULL);
    assert(is_askable(events));
    const int error = control(loop, EPOLL_CTL_ADD, watch, events);

    if (error == 0) {
        watch->events = events;
        watch->place = 0;
        loop->watch_count++;
    }
    return error;
}

int io_loop_modify(struct io_loop *loop, struct io_watch *watch, uint32_t events)
{
    assert(watch->events != 0);
    assert(is_askable(events));
    if (events == watch->events) {
        return 0;
    }
    const int error = control(loop, EPOLL_CTL_MOD, watch, events);

    if (error == 0) {
        watch->events = events;
    }
    return error;
}

void io_loop_remove(struct io_loop *loop, struct io_watch *watch)
{
    if (watch->events == 0) {
        return;
    }
    const int error = control(loop, EPOLL_CTL_DEL, watch, 0);

    assert(error == 0); // the descriptor was closed, or changed, before its watch was removed
    if (watch->place != 0) {
        assert(loop->events[watch->place - 1].data.ptr == watch);
        loop->events[watch->place - 1].data.ptr = NULL;
    }
    watch->events = 0;
    watch->place = 0;
    assert(loop->watch_count > 0);
    loop->watch_count--;
}

// Milliseconds until the deadline, rounded up, so that a wait that ran its full time never ends
// before it and the caller never spins on it; -1 for ever.
static int timeout_ms(uint64_t deadline_ns)
{
    if (deadline_ns == NEVER) {
        return -1;
    }
    const uint64_t now_ns = deadline_ns == 0 ? 0 : io_clock_mono_ns();

    if (deadline_ns <= now_ns) {
        return 0;
    }
    const uint64_t left_ns = deadline_ns - now_ns;
    const uint64_t left_ms = left_ns / MILLISECOND_NS + (left_ns % MILLISECOND_NS != 0);
    return left_ms < INT_MAX ? (int)left_ms : INT_MAX;
}

static void call(struct io_loop *loop, struct epoll_event event)
{
    struct io_watch *watch = event.data.ptr;

    if (watch == NULL) {
        return; // removed earlier in this turn
    }
    assert(watch->events != 0);
    watch->place = 0;
    uint32_t events = event.events;
    if ((events & (EPOLLERR | EPOLLHUP)) != 0) {
        events |= IO_READABLE | IO_WRITABLE | IO_ENDED;
    }
    events &= watch->events | IO_ERROR; // it may have been modified since
    if (events != 0) {
        watch->fn(watch, events);
    }
    assert(loop->is_turning);
}

int io_loop_turn(struct io_loop *loop, uint64_t deadline_ns)
{
    assert(!loop->is_turning);
    loop->event_count = 0;
    const int count =
        epoll_wait(loop->epoll_fd, loop->events, IO_LOOP_EVENT_MAX, timeout_ms(deadline_ns));

    if (count < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    loop->woken_ns = io_clock_mono_ns();
    loop->event_count = (uint32_t)count;
    loop->is_turning = true;
    for (uint32_t i = 0; i < loop->event_count; i++) {
        struct io_watch *watch = loop->events[i].data.ptr;
        watch->place = i + 1;
    }
    for (uint32_t i = 0; i < loop->event_count; i++) {
        call(loop, loop->events[i]);
    }
    loop->is_turning = false;
    return 0;
}
