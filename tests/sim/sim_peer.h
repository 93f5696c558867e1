// SPDX-License-Identifier: Apache-2.0
// A peer: it echoes what comes through a relay, and sometimes sends to one uninvited.
#pragma once

#include "base/addr.h"
#include "sim/sim_queue.h"

struct sim_world;

enum {
    SIM_PEER_PLAIN = 10, // of them the first are public addresses
    SIM_PEER_COUNT = 24,
};

struct sim_peer {
    unsigned index;
    struct addr addr;
    unsigned rounds;   // of datagrams that answer nothing, so far
    struct addr heard; // where the last datagram came from; ADDR_NONE: none has come
};

void sim_peer_init(struct sim_peer *peer, unsigned index);
void sim_peer_wake(struct sim_peer *peer, struct sim_world *world);
void sim_peer_receive(struct sim_peer *peer, struct sim_world *world,
                      const struct sim_datagram *datagram);
