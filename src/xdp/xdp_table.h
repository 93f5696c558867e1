// SPDX-License-Identifier: Apache-2.0
// The channels that the kernel program relays: which paths they are, and where these lead.
//
// Each channel has a slot, whose number the caller chooses, so that letting go of it needs nothing
// else. A channel is two paths, one for each direction: either both are in the map or none. When
// xdp_table_bind() returns 0 the next packet finds them, and when xdp_table_unbind() returns 0 no
// packet does any more.
//
// Paths lead to next hops (xdp_hop.h), which the table keeps current: the caller watches
// xdp_table_fd() for reading and calls xdp_table_read(), and xdp_table_tick() at the deadline.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macro.h"
#include "base/now.h"
#include "xdp/xdp_hop.h"
#include "xdp/xdp_paths.h"
#include "xdp/xdp_program.h"

enum {
    XDP_TABLE_TICK_BOUND = 64, // bound slots that one xdp_table_tick() looks at again
    XDP_TABLE_TICK_MAX = 4096, // slots that it walks over
};
// How long packets have the loop for themselves between two calls that have more to do: where
// routes change all the time, looking again takes a quarter of a CPU and no more.
#define XDP_TABLE_PAUSE_NS (SECOND_NS / 500)
// How often a few channels are looked at again although no event asks for it: routers tell of a
// smaller path MTU without one.
#define XDP_TABLE_RENEW_NS (SECOND_NS / 10)

// One channel.
struct xdp_binding {
    struct addr client;
    struct addr server;  // the own address that the client sends to
    struct addr peer;    // as the client names it
    struct addr relayed; // the own address, with its port, that the peer's packets arrive at
    uint16_t channel;    // the number in front of the data
    bool is_turned;      // the peer is another client's relayed address
};

// What is kept of a channel. A path is made of the other direction's key: it leads to whom that
// one's packets come from.
struct xdp_table_slot {
    struct relay_abi_key keys[2]; // by enum relay_abi_from
    uint32_t hops[2];             // likewise: of the path that the key finds
    bool is_bound;
    bool is_turned;
};

struct xdp_table {
    const struct xdp_program *program;
    struct xdp_paths paths;
    struct xdp_hop_set hops;
    struct xdp_table_slot *slots;
    uint32_t slot_max; // slots that there are
    uint32_t bound_count;
    uint32_t touched; // slots that were ever bound: the first `touched`
    uint32_t behind;  // slots to be looked at again, from the cursor on and round
    uint32_t cursor;
    uint64_t pause_ns; // no tick before that, whatever there is to do
    uint64_t renew_ns; // when a few are looked at without a reason
};

// Opens an empty table for an open program, which stays where it is until the table is closed.
// Slots are numbered from 0 to slot_max - 1; there may be more of them than the program's
// channel_max, which bounds how many are bound at a time. -ENOMEM, -EMFILE, or why rtnetlink does
// not answer. *out is untouched unless 0, and does not move from then on.
MUST_USE int xdp_table_open(const struct xdp_program *program, uint32_t slot_max,
                            struct xdp_table *out);
// The paths vanish with the program, not with the table.
void xdp_table_close(struct xdp_table *table);

// Binds; a slot that is bound is bound anew. Nothing happens, and that is no error, when `server`
// or `relayed` is none of the program's own addresses, or `server` has another port than it
// listens on: the sockets relay such a channel. -EEXIST: another slot has one of its
// paths. -E2BIG: the table of paths is full. Others as bpf(2). After an error the slot is not
// bound.
MUST_USE int xdp_table_bind(struct xdp_table *table, uint32_t slot,
                            const struct xdp_binding *binding);
// Lets go of a slot; nothing happens when it is not bound.
void xdp_table_unbind(struct xdp_table *table, uint32_t slot);
// Whether the program relays the slot's channel.
bool xdp_table_is_bound(const struct xdp_table *table, uint32_t slot);

// Readable when routes, neighbours or interfaces have changed.
int xdp_table_fd(const struct xdp_table *table);
// Takes what has changed, as much as is fit for one turn. -errno when a map refuses.
MUST_USE int xdp_table_read(struct xdp_table *table);

// When xdp_table_tick() is due; NEVER when all is empty.
uint64_t xdp_table_deadline(const struct xdp_table *table);
// Looks again at some hops and at the paths of up to XDP_TABLE_TICK_BOUND channels: half a
// millisecond. All of 65,536 channels take 1,024 calls, two and a half seconds, when the routes
// change, and two minutes when they do not. Nothing happens before the deadline. -errno when a map
// refuses; it has gone on with the others.
MUST_USE int xdp_table_tick(struct xdp_table *table, uint64_t now_ns);
