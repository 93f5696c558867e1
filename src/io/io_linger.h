// SPDX-License-Identifier: Apache-2.0
// Connections that have been closed for us and not yet for their peers.
//
// Closing a socket of which something is unread resets it, and a reset destroys what the peer has
// not read yet. So a connection that has been sent its last words says that nothing more comes, and
// waits until the peer has closed too; what still comes meanwhile is dropped. That takes at most
// IO_LINGER_S; of more than IO_LINGER_MAX the one that has been here for longest goes first.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "io/io_loop.h"

enum {
    IO_LINGER_MAX = 256,
    IO_LINGER_S = 5,
};

struct io_linger_place {
    struct io_watch watch; // its descriptor is -1 while the place is free
    uint64_t deadline_ns;
};

// In the caller's memory, where it does not move while it is open. The places are a ring, in the
// order of their deadlines.
struct io_linger {
    struct io_loop *loop; // NULL: not open
    uint64_t first;       // the oldest; those before it are gone, and some behind it may be
    uint64_t end;
    struct io_linger_place places[IO_LINGER_MAX];
};

void io_linger_open(struct io_linger *linger, struct io_loop *loop);
// Closes all as they are. Closing twice does nothing.
void io_linger_close(struct io_linger *linger);

// Takes over a connected socket, and sends it its last words (may be empty) as far as it takes them
// at once. Nothing may watch it any more.
void io_linger_add(struct io_linger *linger, int fd, struct bytes words, uint64_t now_ns);

// Closes what has had its time. When it is to be called next (monotonic ns), or NEVER.
uint64_t io_linger_tick(struct io_linger *linger, uint64_t now_ns);
