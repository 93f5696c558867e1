// SPDX-License-Identifier: Apache-2.0
// Drives the servers by the contract in turn/turn_server.h, beside the one oracle of all.
#pragma once

#include "sim/sim_oracle.h"
#include "sim/sim_path.h"
#include "sim/sim_queue.h"
#include "sim/sim_system.h"

struct sim_world;

struct sim_server {
    unsigned shard;
    void *memory; // exactly as much as the server asks for
    struct turn_server *turn;
    struct sim_path path;
};

// Makes the server of a shard. What it was configured from is freed at once.
void sim_server_init(struct sim_server *server, struct sim_world *world, unsigned shard);
void sim_server_deinit(struct sim_server *server);

// Ticks all servers until their deadlines lie ahead.
void sim_server_tick_all(struct sim_world *world);
// All servers adopt a policy, which the oracle knows already.
void sim_server_adopt_all(struct sim_world *world, const struct turn_policy *policy);
// A datagram has come to where the server listens.
void sim_server_from_client(struct sim_server *server, struct sim_world *world,
                            const struct sim_datagram *datagram);
// A datagram has come on a relayed socket, which may have been closed meanwhile.
void sim_server_from_peer(struct sim_server *server, struct sim_world *world,
                          const struct sim_socket *socket, const struct sim_datagram *datagram);
// An ICMP error has come for what a relayed socket, which may be closed by now, sent to a peer.
void sim_server_icmp(struct sim_server *server, struct sim_world *world,
                     const struct sim_socket *socket, const struct addr *peer,
                     const struct stun_icmp *icmp);
// Nothing is held any more.
void sim_server_check_empty(const struct sim_server *server, const struct sim_world *world);
