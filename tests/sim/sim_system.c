// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_system.h"

#include "sim/sim_world.h"

const struct sim_socket *sim_system_find(const struct sim_system *system,
                                         const struct addr *relayed)
{
    for (size_t i = 0; i < SIM_SYSTEM_SOCKETS; i++) {
        if (system->sockets[i].is_open && addr_equal(&system->sockets[i].relayed, relayed)) {
            return &system->sockets[i];
        }
    }
    return NULL;
}

// An allocation has one socket for each family.
static struct sim_socket *socket_of(struct sim_system *system, unsigned shard, struct pool_ref ref,
                                    unsigned family)
{
    for (size_t i = 0; i < SIM_SYSTEM_SOCKETS; i++) {
        struct sim_socket *socket = &system->sockets[i];
        if (socket->is_open && socket->shard == shard && socket->allocation.index == ref.index &&
            socket->relayed.family == family) {
            return socket;
        }
    }
    return NULL;
}

enum turn_opened sim_system_open(struct sim_world *world, unsigned shard,
                                 const struct turn_command_socket *command)
{
    struct sim_system *system = &world->system;
    // Others hold always the same ports: a port's fate hangs on its number and the seed.
    uint64_t name = command->relayed.port * UINT64_C(10) + command->relayed.family;
    uint64_t fate = (name * UINT64_C(2654435761) ^ world->trace.seed) % 100;

    if (sim_system_find(system, &command->relayed) != NULL) {
        sim_trace_fail(&world->trace, "port %u is opened twice", command->relayed.port);
    }
    if (socket_of(system, shard, command->allocation, command->relayed.family) != NULL) {
        sim_trace_fail(&world->trace, "an allocation has two sockets of one family");
    }
    if (rng_chance(&world->rng, world->setup.all_refused_percent)) {
        return TURN_SYSTEM_REFUSED;
    }
    if (fate < world->setup.port_refused_percent) {
        return TURN_PORT_REFUSED;
    }
    for (size_t i = 0; i < SIM_SYSTEM_SOCKETS; i++) {
        if (!system->sockets[i].is_open) {
            system->sockets[i] =
                (struct sim_socket){true, shard, command->allocation, command->relayed};
            system->open_counts[shard]++;
            system->opened++;
            return TURN_OPENED;
        }
    }
    sim_trace_fail(&world->trace, "more sockets than all pools have allocations");
}

void sim_system_close(struct sim_world *world, unsigned shard,
                      const struct turn_command_socket *command)
{
    struct sim_socket *socket =
        socket_of(&world->system, shard, command->allocation, command->relayed.family);

    if (socket == NULL || socket->allocation.generation != command->allocation.generation) {
        sim_trace_fail(&world->trace, "a socket is closed that is not open");
    }
    if (!addr_equal(&socket->relayed, &command->relayed)) {
        sim_trace_fail(&world->trace, "a socket is closed under another address");
    }
    socket->is_open = false;
    world->system.last_closed = *socket;
    world->system.open_counts[shard]--;
    world->system.closed++;
}

const struct sim_socket *sim_system_any(struct sim_world *world)
{
    uint64_t from = rng_below(&world->rng, SIM_SYSTEM_SOCKETS);

    for (size_t i = 0; i < SIM_SYSTEM_SOCKETS; i++) {
        const struct sim_socket *socket = &world->system.sockets[(from + i) % SIM_SYSTEM_SOCKETS];
        if (socket->is_open) {
            return socket;
        }
    }
    return NULL;
}
