// SPDX-License-Identifier: Apache-2.0
// A system that opens and closes relayed sockets, refuses some ports, and sometimes everything.
#pragma once

#include "base/addr.h"
#include "base/pool.h"
#include "sim/sim_setup.h"
#include "turn/turn_server.h"

struct sim_world;

enum { SIM_SYSTEM_SOCKETS = 128 };

struct sim_socket {
    bool is_open;
    unsigned shard;
    struct pool_ref allocation;
    struct addr relayed;
};

struct sim_system {
    struct sim_socket sockets[SIM_SYSTEM_SOCKETS];
    struct sim_socket last_closed;          // whose last datagrams may still be on their way up
    uint32_t open_counts[SIM_SETUP_SHARDS]; // of each shard
    uint64_t opened;
    uint64_t closed;
};

// Fails the world when the port is open already, or the same allocation has a socket.
enum turn_opened sim_system_open(struct sim_world *world, unsigned shard,
                                 const struct turn_command_socket *command);
// Fails the world unless exactly this socket is open.
void sim_system_close(struct sim_world *world, unsigned shard,
                      const struct turn_command_socket *command);
// The open socket that is bound to an address, or NULL.
const struct sim_socket *sim_system_find(const struct sim_system *system,
                                         const struct addr *relayed);
// Some open socket, or NULL when there is none.
const struct sim_socket *sim_system_any(struct sim_world *world);
