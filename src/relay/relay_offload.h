// SPDX-License-Identifier: Apache-2.0
// The way of channels' data through the kernel, as the operator has asked for it: it joins what
// the TURN server says of its channels to the kernel program of the room xdp.
//
// Whatever fails here is logged, and the sockets go on alone.
#pragma once

#include <stdbool.h>

#include "io/io_loop.h"
#include "relay/relay_config.h"
#include "turn/turn_command.h"
#include "xdp/xdp_counts.h"
#include "xdp/xdp_program.h"
#include "xdp/xdp_table.h"

struct relay_offload {
    bool is_open;
    bool is_on; // attached, as the operator wants it now
    struct xdp_program program;
    struct xdp_table table;
    struct io_loop *loop;
    struct io_watch watch;  // news of routes and neighbours
    struct addr relayed[2]; // IPv4, IPv6: where peers' packets arrive; ADDR_NONE: not served
    bool is_routed[2];      // likewise: the relayed sockets send from what the route chooses
    enum xdp_link_mode mode;
    char names[XDP_PROGRAM_LINK_MAX][IF_NAMESIZE];
    size_t name_count;
};

// Opens it if the configuration names an interface; offload->is_open tells whether it did. Nothing
// is opened for a configuration that names none.
void relay_offload_open(struct relay_offload *offload, const struct relay_config *config,
                        struct io_loop *loop);
// Closing twice, or what is not open, does nothing.
void relay_offload_close(struct relay_offload *offload);

// Each does nothing for what is not open.

// Carries out a command of the TURN server.
void relay_offload_bind(struct relay_offload *offload, const struct turn_command_bind *bind);
void relay_offload_unbind(struct relay_offload *offload, const struct turn_command_unbind *unbind);
// Does what is due: work that was left over, so as not to hold up packets. When it is to be called
// next (monotonic ns), or NEVER.
uint64_t relay_offload_tick(struct relay_offload *offload, struct now now);
// Off, or on again: the channels stay, and their packets go by the sockets meanwhile.
void relay_offload_switch(struct relay_offload *offload);
// Logs every counter that is not zero.
void relay_offload_log(const struct relay_offload *offload);
