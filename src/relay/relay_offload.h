// SPDX-License-Identifier: Apache-2.0
// The way of channels' data through the kernel, as the operator has asked for it: it joins what
// the TURN server says of its channels to the kernel program of the room xdp.
//
// Whatever fails here is logged, and the sockets go on alone.
//
// One program and one table serve all workers. These bind and unbind, each channel in a slot of its
// own worker's; all else is the control thread's, in whose loop the news of routes arrive. A lock
// is held meanwhile: when relay_offload_bind() returns the next packet finds the channel, and when
// relay_offload_unbind() does none will any more, whichever thread asks.
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "io/io_loop.h"
#include "relay/relay_config.h"
#include "turn/turn_command.h"
#include "turn/turn_usage.h"
#include "xdp/xdp_counts.h"
#include "xdp/xdp_program.h"
#include "xdp/xdp_table.h"
#include "xdp/xdp_usage.h"

struct relay_offload {
    pthread_mutex_t lock; // of all from here to `hurry`
    bool is_open;         // the control thread alone changes this, and the program
    struct xdp_program program;
    struct xdp_table table;
    struct xdp_usage usage;
    uint64_t tick_ns;      // when the control thread means to come next
    struct io_watch hurry; // an eventfd: it is to come earlier
    // The control thread's.
    bool is_on;      // attached, as the operator wants it now
    bool is_watched; // the two watches are in the loop, and the table has its descriptors
    struct io_loop *loop;
    struct io_watch news; // of routes and neighbours
    // Set once.
    uint32_t worker_count;
    uint32_t channels_per_worker;
    struct addr relayed[2]; // IPv4, IPv6: where peers' packets arrive; ADDR_NONE: not served
    bool is_routed[2];      // likewise: the relayed sockets send from what the route chooses
    enum xdp_link_mode mode;
    char names[XDP_PROGRAM_LINK_MAX][IF_NAMESIZE];
    size_t name_count;
};

// Opens it for so many workers if the configuration names an interface; offload->is_open tells
// whether it did. Nothing is opened for a configuration that names none. It does not move until it
// is closed.
void relay_offload_open(struct relay_offload *offload, const struct relay_config *config,
                        uint32_t worker_count, struct io_loop *loop);
// Once the workers are gone. Closing twice, or what is not open, does nothing.
void relay_offload_close(struct relay_offload *offload);

// Each does nothing for what is not open.

// Carries out a command of a worker's TURN server, in that worker's thread.
void relay_offload_bind(struct relay_offload *offload, uint32_t worker,
                        const struct turn_command_bind *bind);
void relay_offload_unbind(struct relay_offload *offload, uint32_t worker,
                          const struct turn_command_unbind *unbind);

// A relayed port has a new owner: what is counted of it begins anew.
void relay_offload_begin(struct relay_offload *offload, uint16_t port);

// In any thread.

// What the kernel has relayed at a relayed port since then; all zero when nothing is open.
struct turn_usage relay_offload_usage(struct relay_offload *offload, uint16_t port);
// What the kernel program has counted; no worker waits for that. False, with *out untouched, when
// it is not open.
MUST_USE bool relay_offload_counts(struct relay_offload *offload, struct xdp_counts *out);
// By how many interfaces it relays now.
uint32_t relay_offload_interface_count(struct relay_offload *offload);

// In the control thread.

// Does what is due: work that was left over, so as not to hold up packets. When it is to be called
// next (monotonic ns), or NEVER.
uint64_t relay_offload_tick(struct relay_offload *offload, struct now now);
// Off, or on again: the channels stay, and their packets go by the sockets meanwhile.
void relay_offload_switch(struct relay_offload *offload);
// Logs every counter that is not zero.
void relay_offload_log(struct relay_offload *offload);
