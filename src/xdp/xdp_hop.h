// SPDX-License-Identifier: Apache-2.0
// Next hops: the neighbours through which packets leave, with their MAC addresses and MTUs.
//
// The kernel program does not look up routes; here that is done for it once, when a path is bound,
// and kept current by rtnetlink's events. A hop is one neighbour on one interface under one MTU of
// the route: many paths share it and hold a reference each. Hop 0 is never known, and stands for
// everything that the sockets should send: routes that are local, multicast or not there, go by
// an interface without the program, without Ethernet, or through an encapsulation, and what comes
// when all hops are in use.
//
// A hop whose neighbour the system does not know has ifindex 0 in the map, so that its packets
// pass. The socket that then sends them makes the system ask, and the answer comes as an event.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "base/table.h"
#include "xdp/xdp_device.h"
#include "xdp/xdp_netlink.h"
#include "xdp/xdp_program.h"

enum {
    XDP_HOP_READ_MAX = 64,   // datagrams of events that one xdp_hop_read() takes
    XDP_HOP_TICK_HOPS = 128, // neighbours that one xdp_hop_tick() asks for
};

struct xdp_hop_set {
    const struct xdp_program *program;
    struct xdp_netlink questions;
    struct xdp_netlink events;
    struct xdp_device devices[XDP_PROGRAM_LINK_MAX]; // those that the program is attached to
    uint32_t device_count;
    uint32_t link_changes; // the program's, when the devices were read
    uint32_t behind; // hops whose neighbours are to be asked for, from the cursor on and round
    uint32_t cursor;
    struct siphash_key key;
    void *memory;       // of the pool and the table
    struct pool pool;   // the hop of index i in the map is the pool's i - 1
    struct table table; // by neighbour and MTU
};

// Opens it empty. Errors as of xdp_table_open().
MUST_USE int xdp_hop_open(const struct xdp_program *program, struct xdp_hop_set *out);
void xdp_hop_close(struct xdp_hop_set *set);

// Finds the hop by which a packet from an own address (with its port) reaches `destination`, and
// takes a reference to it; hop 0 (RELAY_ABI_HOP_NONE) needs none. -errno when the map refuses.
MUST_USE int xdp_hop_take(struct xdp_hop_set *set, const struct addr *destination,
                          const struct addr *source, uint32_t *out);
// Gives a reference back. The last one frees the hop.
void xdp_hop_give(struct xdp_hop_set *set, uint32_t hop);

int xdp_hop_fd(const struct xdp_hop_set *set);
// Takes events and brings the hops up to date. *has_new_ways becomes true when routes may lead
// elsewhere than when their hops were taken, and is untouched otherwise.
MUST_USE int xdp_hop_read(struct xdp_hop_set *set, bool *has_new_ways);
// There is work for xdp_hop_tick().
bool xdp_hop_is_behind(const struct xdp_hop_set *set);
// Does some of what events have left over, or what attaching has changed. As xdp_hop_read().
MUST_USE int xdp_hop_tick(struct xdp_hop_set *set, bool *has_new_ways);
