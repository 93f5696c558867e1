// SPDX-License-Identifier: Apache-2.0
// A world in virtual time: clients, peers and a stranger, links, and servers between them that
// serve one relay together, all of it from one seed.
//
//      clients  --+-- link --+-- servers, one for each shard      --+-- link --+-- peers
//      stranger --+          +-- their relayed sockets (system)   --+
//
// The same seed gives the same world, event for event.
#pragma once

#include "base/now.h"
#include "sim/sim_client.h"
#include "sim/sim_cover.h"
#include "sim/sim_link.h"
#include "sim/sim_peer.h"
#include "sim/sim_queue.h"
#include "sim/sim_server.h"
#include "sim/sim_setup.h"
#include "sim/sim_stranger.h"
#include "sim/sim_system.h"
#include "sim/sim_trace.h"
#include "support/rng.h"

struct sim_world {
    struct sim_trace trace;
    struct sim_cover *cover;
    struct rng rng;
    struct now now;
    int64_t wall_offset_s; // by how much somebody has set the wall clock wrong
    struct sim_setup setup;
    struct sim_queue queue;
    struct sim_link link;
    struct sim_system system;
    struct sim_oracle oracle;
    struct turn_policy *policy;   // that all servers follow
    struct turn_commons *commons; // of all servers, in exactly as much memory as they ask for
    struct sim_server servers[SIM_SETUP_SHARDS];
    struct sim_client clients[SIM_SETUP_CLIENTS];
    unsigned client_count;
    struct sim_peer peers[SIM_PEER_COUNT];
    struct sim_stranger stranger;
};

struct sim_world_options {
    uint64_t seed;
    bool is_verbose; // print every event
    bool is_hashed;  // return a hash of all that happened; else 0
};

// Lives a world to its end, where nothing is held any more. Ends the program if anything is wrong.
uint64_t sim_world_run(const struct sim_world_options *options, struct sim_cover *cover);

// Wakes an actor after a while: a client by its index, a peer behind them, the stranger, and last
// who changes the configuration.
void sim_world_wake(struct sim_world *world, uint32_t actor, uint64_t after_ns);
