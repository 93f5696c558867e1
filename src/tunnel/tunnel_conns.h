// SPDX-License-Identifier: Apache-2.0
// Data connections that are in nobody's hands yet: clients that wait for a reverse connection,
// those that agents keep standing by, and for a moment whatever was accepted last.
//
// They are not read: what a client sends stays with the system until somebody wants it. One that is
// reset is noticed, though, and told; of one that stands by, so is anything else.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/pool.h"
#include "io/io_loop.h"
#include "io/io_stream.h"

struct tunnel_conns;

// A client that waited, or one that stood by, is gone, and closed.
typedef void (*tunnel_conns_fn)(void *context, struct pool_ref client);

struct tunnel_conn {
    struct io_watch watch;   // not watched yet, or not at all
    struct io_stream stream; // there is none: the place is free
    struct tunnel_conns *conns;
    struct pool_ref client; // once it is watched; or of one that stands by, what the core calls it
    bool is_standing;
    uint32_t next_free;
};

struct tunnel_conns {
    struct io_loop *loop;
    tunnel_conns_fn on_gone;
    void *context;
    struct tunnel_conn *places;
    uint32_t capacity;
    uint32_t first_free;
    uint32_t count;
};

// For so many at a time. It is all zero before, and does not move until it is closed. 0 or -ENOMEM.
MUST_USE int tunnel_conns_open(struct tunnel_conns *conns, struct io_loop *loop, uint32_t capacity,
                               tunnel_conns_fn on_gone, void *context);
// Closes all. Closing twice, or what is all zero, does nothing.
void tunnel_conns_close(struct tunnel_conns *conns);

// Takes over a connection, and gives it a number. There is room (asserted).
uint32_t tunnel_conns_add(struct tunnel_conns *conns, struct io_stream stream);
// It is still here.
bool tunnel_conns_has(const struct tunnel_conns *conns, uint32_t number);
// Watches one that waits as this client from now on. 0, or as io_loop_add().
MUST_USE int tunnel_conns_watch(struct tunnel_conns *conns, uint32_t number,
                                struct pool_ref client);
// Watches one that stands by: it is gone as soon as it ends or says something. 0, or as
// io_loop_add(); -EPROTO: it has said something already.
MUST_USE int tunnel_conns_stand(struct tunnel_conns *conns, uint32_t number,
                                struct pool_ref standing);
// Hands a connection out; the number is free. Nobody watches it any more.
MUST_USE struct io_stream tunnel_conns_take(struct tunnel_conns *conns, uint32_t number);
