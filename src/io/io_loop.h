// SPDX-License-Identifier: Apache-2.0
// The event loop of one thread: epoll over watches in the caller's memory, level-triggered unless a
// watch asks otherwise.
//
// The room io owns descriptors, sockets and what the operating system gives; it knows how, never
// why, and no protocol. Its functions return 0 or -errno.
//
// A watch that is removed gets no event any more, even one that the kernel reported before in the
// same turn, and its memory and descriptor number may be used again at once. Remove it before you
// close its descriptor. A turn takes at most IO_LOOP_EVENT_MAX events; epoll hands out those
// that did not fit first in the next turn, so that none starves.
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/macro.h"
#include "base/now.h"

enum { IO_LOOP_EVENT_MAX = 64 };

// What a watch asks for, and what it is told. An error or a hang-up is told as all that was asked
// for, so that the next read or write meets it. An error is told by IO_ERROR besides, which nobody
// can ask for: some sockets have a queue of errors to be emptied (io_udp_error.h).
//
// Who asks for IO_EDGE besides is told once, when something has come to be: he remembers what he
// was told until a read or write has found the opposite.
enum {
    IO_READABLE = EPOLLIN,
    IO_WRITABLE = EPOLLOUT,
    IO_ENDED = EPOLLRDHUP, // the peer sends nothing more: behind what can be read there is the end
    IO_URGENT = EPOLLPRI,  // urgent data are among what can be read (RFC 9293 section 3.8.5)
    IO_ERROR = EPOLLERR,
};
#define IO_EDGE ((uint32_t)EPOLLET) // beyond what an enum can hold

struct io_watch;

typedef void (*io_watch_fn)(struct io_watch *watch, uint32_t events);

// The caller sets the first three before io_loop_add and may embed it in something larger; it must
// not move while it is added.
struct io_watch {
    int fd; // borrowed
    io_watch_fn fn;
    void *context;
    uint32_t events; // asked for; 0: not added
    uint32_t place;  // in this turn's events, plus one; 0: none waits for it
};

struct io_loop {
    int epoll_fd;
    uint32_t watch_count;
    uint32_t event_count; // of this turn, or of the last one
    bool is_turning;
    uint64_t woken_ns; // monotonic: when these events were there
    struct epoll_event events[IO_LOOP_EVENT_MAX];
};

MUST_USE int io_loop_open(struct io_loop *loop);
// The watches are forgotten, their descriptors stay open. Closing twice, or a loop of which
// io_loop_open failed, does nothing.
void io_loop_close(struct io_loop *loop);

// Starts to watch; `events` is not 0, IO_EDGE apart. -EEXIST when another watch has this
// descriptor, -ENOSPC at the user's limit of watches, -EPERM for a file that cannot be watched,
// -ENOMEM.
MUST_USE int io_loop_add(struct io_loop *loop, struct io_watch *watch, uint32_t events);
// Asks for other events; `events` is not 0 (to pause, remove).
MUST_USE int io_loop_modify(struct io_loop *loop, struct io_watch *watch, uint32_t events);
// Stops to watch; nothing happens when it is not added. Cannot fail while the descriptor is open.
void io_loop_remove(struct io_loop *loop, struct io_watch *watch);

// Waits for events until `deadline_ns` (of the monotonic clock; 0 does not wait, NEVER waits for
// ever), calls their watches, and returns 0; also when there were none, or a signal came. It wakes
// never before the deadline without an event, and up to a millisecond after it.
// The callbacks may add, modify and remove any watch but not turn the loop.
MUST_USE int io_loop_turn(struct io_loop *loop, uint64_t deadline_ns);
