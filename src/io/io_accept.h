// SPDX-License-Identifier: Apache-2.0
// Who comes: the listening TCP sockets of one thread, which accept in bursts and never for good
// stop.
//
// A descriptor is put aside (the spare one). When the process has no other left, a connection is
// accepted in its place, so that nobody waits in vain in a queue that is not looked at: the owner
// may close it at once, or serve it, and the spare one is opened again as soon as that can be.
// While it cannot, or the system lacks something else, all listeners rest for IO_ACCEPT_PAUSE_MS: a
// queue that cannot be emptied would wake the loop without end.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "io/io_loop.h"
#include "io/io_tcp.h"

enum {
    IO_ACCEPT_BURST_MAX = 64, // connections taken at one wake-up: then the other events have theirs
    IO_ACCEPT_PAUSE_MS = 100,
};

struct io_accept;
struct io_accept_at;

// A connection has come: `fd` is the callee's. It may stop any listener.
typedef void (*io_accept_fn)(struct io_accept_at *at, int fd, const struct addr *from);
// Nothing can be accepted, for this reason (-errno), even in the spare descriptor's place: the
// callee may close something. The listeners rest from now on.
typedef void (*io_accept_short_fn)(void *context, int error);

// One listening socket, in the caller's memory, where it does not move while it listens.
struct io_accept_at {
    struct io_watch watch;
    struct io_accept *accept;
    struct io_accept_at *next; // of all that listen
    struct io_accept_at *previous;
    io_accept_fn on_connection;
    void *context;
};

// In the caller's memory, where it does not move while it is open.
struct io_accept {
    struct io_loop *loop; // NULL: not open
    struct io_accept_at *first;
    io_accept_short_fn on_short; // may be NULL
    void *context;
    int spare_fd;          // /dev/null, or -1 while a connection has its place
    uint64_t pause_end_ns; // 0: they do not rest
};

// Nothing listens yet. The descriptor is put aside: -EMFILE, -ENFILE.
MUST_USE int io_accept_open(struct io_accept *accept, struct io_loop *loop,
                            io_accept_short_fn on_short, void *context);
// Stops all listeners. Closing twice, or what could not be opened, does nothing.
void io_accept_close(struct io_accept *accept);

// Listens as io_tcp_listen() does, with the caller's `on_connection` and `context` in *at.
MUST_USE int io_accept_listen(struct io_accept *accept, struct io_accept_at *at,
                              const struct addr *addr, const struct io_tcp_options *options,
                              struct addr *bound);
// Closes a listener; connections that wait to be accepted are reset. Nothing happens to one that
// does not listen.
void io_accept_stop(struct io_accept_at *at);

// No descriptor but the one that the last connection took was left: whoever can do without it
// closes it.
bool io_accept_is_short(const struct io_accept *accept);

// Ends what has been paused for long enough. When it is to be called next (monotonic ns), or NEVER.
uint64_t io_accept_tick(struct io_accept *accept, uint64_t now_ns);
