// SPDX-License-Identifier: Apache-2.0
// A tunnel: where clients of one server are accepted, wait, and are joined with what it dials.
//
// It is held by a control connection and has a pair of ports. When that is lost, the pair is free
// at once; what the tunnel still has is told by revtun_tunnel_sweep(), one at a time, however much
// that is, and then it is gone. Its sessions last until the caller says that they have ended.
#pragma once

#include "base/addr.h"
#include "base/chain.h"
#include "base/now.h"
#include "base/pool.h"
#include "revtun/revtun_command.h"
#include "revtun/revtun_queue.h"

struct revtun_relay;

struct revtun_tunnel {
    struct chain_link link; // among those of its control connection, or those that were left
    uint32_t control;       // POOL_NONE: it was left
    uint32_t pair;
    struct revtun_queue queue;
    uint32_t first_session; // chain
    uint32_t session_count;
};

// From its accept to the end of its session.
struct revtun_client {
    struct revtun_queue_place place; // its link is that of the tunnel's sessions later
    uint64_t conn;
    struct addr from;
    uint32_t source; // POOL_NONE: it does not wait any more
    uint32_t tunnel; // POOL_NONE: its session lost its tunnel
    uint8_t zero[4];
};

// The tunnel of an index that is one now (asserted).
struct revtun_tunnel *revtun_tunnel_at(const struct revtun_relay *relay, uint32_t index);

// Opens one for a pair, held by a control connection. Room for it there is: asserted.
uint32_t revtun_tunnel_open(struct revtun_relay *relay, uint32_t control);
// Nobody holds it any more: its pair is free.
void revtun_tunnel_leave(struct revtun_relay *relay, uint32_t index);
// Some were left, and have something to tell.
bool revtun_tunnel_is_swept(const struct revtun_relay *relay);
// Tells one client of a tunnel that was left. False, with *out untouched, when all are told.
MUST_USE bool revtun_tunnel_sweep(struct revtun_relay *relay, struct revtun_command *out);

// A client has come: it waits, or is refused. Its index is POOL_NONE then.
struct pool_ref revtun_tunnel_client(struct revtun_relay *relay, struct now now, uint32_t index,
                                     uint64_t conn, const struct addr *from);
// A reverse connection has come, from where it may.
void revtun_tunnel_reverse(struct revtun_relay *relay, struct now now, uint32_t index,
                           uint64_t conn);
// A client, or its session, is gone.
void revtun_tunnel_gone(struct revtun_relay *relay, uint32_t index);

// Sets a tunnel's timer for what is due next: by the queue, or by the configuration.
void revtun_tunnel_set_timer(struct revtun_relay *relay, uint32_t index);
// A tunnel's timer is due.
void revtun_tunnel_expire(struct revtun_relay *relay, struct now now, uint32_t index);
