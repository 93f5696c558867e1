// SPDX-License-Identifier: Apache-2.0
// A client and the reverse connection that was made for it, from their being joined to their end.
//
// A session changes hands twice: the first thread fills it in, gives it to a worker by a letter,
// and gets it back by another one. Only `owner` is for all at any time.
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/pool.h"
#include "io/io_pump.h"

struct tunnel_session {
    // Whose it is: generation and worker, so that a letter about a former session at the same
    // index is known for what it is. 0: the first thread's.
    _Atomic uint64_t owner;
    // What the worker is given, and what it makes of it.
    int client_fd;
    struct io_stream reverse;
    struct io_pump pump; // from the client (A) to the reverse connection (B) and back
    enum io_pump_why why;
    _Atomic uint64_t told_bytes[2]; // from and to the client, when it was asked the last time
    // The first thread's own.
    uint32_t worker;
    uint32_t pair;
    struct addr from; // the client
    uint64_t waited_ns;
    uint64_t begun_ns;
};
_Static_assert(sizeof(struct tunnel_session) <= 448,
               "an idle session costs half a kilobyte at most");

static inline uint64_t tunnel_session_owner(struct pool_ref session, uint32_t worker)
{
    return (uint64_t)session.generation << 32 | ((uint64_t)worker + 1);
}

static inline uint32_t tunnel_session_generation(uint64_t owner)
{
    return (uint32_t)(owner >> 32);
}
