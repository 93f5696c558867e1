// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_world.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/sim_reload.h"

enum {
    STRANGER = SIM_SETUP_CLIENTS + SIM_PEER_COUNT,
    RELOAD,
};

void sim_world_wake(struct sim_world *world, uint32_t actor, uint64_t after_ns)
{
    sim_queue_add(&world->queue, world->now.mono_ns + after_ns, NULL, actor);
}

static void make_commons(struct sim_world *world)
{
    uint8_t seed[TURN_COMMONS_SEED_LEN];
    void *memory = calloc(1, turn_commons_size(&world->setup.config));

    assert(memory != NULL);
    rng_fill(&world->rng, seed, sizeof seed);
    world->commons = turn_commons_init(memory, &world->setup.config, NULL, seed);
}

static void init(struct sim_world *world, const struct sim_world_options *options,
                 struct sim_cover *cover)
{
    world->trace.seed = options->seed;
    world->trace.is_verbose = options->is_verbose;
    world->trace.is_hashed = options->is_hashed;
    world->cover = cover;
    world->rng = rng_init(options->seed);
    world->now.mono_ns = rng_below(&world->rng, 100000 * SECOND_NS);
    world->now.wall_s = 1700000000 + (int64_t)(world->now.mono_ns / SECOND_NS);
    world->trace.now_ns = world->now.mono_ns;
    sim_setup_init(&world->setup, &world->rng);
    world->link = sim_link_random(&world->rng);
    make_commons(world);
    sim_reload_init(world);
    sim_oracle_init(&world->oracle, &world->setup, cover);
    for (unsigned i = 0; i < world->setup.config.shard_count; i++) {
        sim_server_init(&world->servers[i], world, i);
    }
    world->client_count = world->setup.client_count;
    for (unsigned i = 0; i < world->client_count; i++) {
        sim_client_init(&world->clients[i], world, i);
        sim_world_wake(world, i, rng_below(&world->rng, SECOND_NS));
    }
    for (unsigned i = 0; i < SIM_PEER_COUNT; i++) {
        sim_peer_init(&world->peers[i], i);
        sim_world_wake(world, SIM_SETUP_CLIENTS + i, rng_below(&world->rng, 10 * SECOND_NS));
    }
    sim_world_wake(world, STRANGER, rng_below(&world->rng, 10 * SECOND_NS));
    if (rng_chance(&world->rng, 40)) {
        sim_world_wake(world, RELOAD, rng_below(&world->rng, 1000 * SECOND_NS));
    }
}

static void deinit(struct sim_world *world)
{
    for (unsigned i = 0; i < world->setup.config.shard_count; i++) {
        sim_server_deinit(&world->servers[i]);
    }
    sim_reload_deinit(world);
    turn_commons_deinit(world->commons);
    free(world->commons);
    sim_oracle_deinit(&world->oracle);
    sim_queue_deinit(&world->queue);
}

// A 5-tuple with an allocation always meets the same server, whichever that is. Without one it may
// be led elsewhere at any time, and must not notice.
static struct sim_server *server_for(struct sim_world *world, const struct sim_datagram *datagram)
{
    const struct turn_tuple tuple = {datagram->from, datagram->to};
    unsigned allocation = sim_oracle_find(&world->oracle, &tuple);
    uint64_t hash =
        datagram->from.port + datagram->from.ip[3] + world->now.mono_ns / (7 * SECOND_NS);

    if (allocation != SIM_ORACLE_NONE) {
        return &world->servers[world->oracle.allocations[allocation].name.home];
    }
    return &world->servers[hash % world->setup.config.shard_count];
}

static void on_socket(struct sim_world *world, const struct sim_socket *socket,
                      const struct sim_datagram *datagram)
{
    const struct sim_socket *closed = &world->system.last_closed;

    sim_trace_packet(&world->trace, "on a relayed socket", &datagram->from, &datagram->to,
                     datagram->bytes);
    if (closed->relayed.family != ADDR_NONE && rng_chance(&world->rng, 5)) {
        // As if it had been read before the socket was closed.
        sim_server_from_peer(&world->servers[closed->shard], world, closed, datagram);
        return;
    }
    if (socket != NULL) {
        sim_server_from_peer(&world->servers[socket->shard], world, socket, datagram);
    }
}

static void deliver(struct sim_world *world, const struct sim_datagram *datagram)
{
    const struct addr *to = &datagram->to;

    if (addr_equal(to, &world->setup.listen_ip4) || addr_equal(to, &world->setup.listen_ip6)) {
        sim_trace_packet(&world->trace, "to the server", &datagram->from, to, datagram->bytes);
        sim_server_from_client(server_for(world, datagram), world, datagram);
        return;
    }
    if (addr_same_ip(to, &world->setup.listen_ip4) || addr_same_ip(to, &world->setup.listen_ip6)) {
        on_socket(world, sim_system_find(&world->system, to), datagram);
        return;
    }
    for (unsigned i = 0; i < world->client_count; i++) {
        if (addr_equal(&world->clients[i].addr, to)) {
            sim_client_receive(&world->clients[i], world, datagram);
        }
    }
    for (unsigned i = 0; i < SIM_PEER_COUNT; i++) {
        if (addr_equal(&world->peers[i].addr, to)) {
            sim_peer_receive(&world->peers[i], world, datagram);
        }
    }
}

static void wake(struct sim_world *world, uint32_t actor)
{
    if (actor < SIM_SETUP_CLIENTS) {
        sim_client_wake(&world->clients[actor], world);
    } else if (actor < STRANGER) {
        sim_peer_wake(&world->peers[actor - SIM_SETUP_CLIENTS], world);
    } else if (actor == STRANGER) {
        sim_stranger_wake(&world->stranger, world, STRANGER);
    } else {
        sim_reload_wake(world, RELOAD);
    }
}

// When the first of the servers' timers fires, or NEVER.
static uint64_t timer(const struct sim_world *world)
{
    uint64_t first_ns = NEVER;

    for (unsigned i = 0; i < world->setup.config.shard_count; i++) {
        uint64_t deadline_ns = turn_server_deadline(world->servers[i].turn);
        first_ns = deadline_ns < first_ns ? deadline_ns : first_ns;
    }
    return first_ns == NEVER ? NEVER : first_ns + world->setup.lateness_ns;
}

static void move_to(struct sim_world *world, uint64_t at_ns)
{
    static const int64_t offsets_s[] = {0, 0, 0, -86400, -30, 30, 3700, 600000000};

    assert(at_ns >= world->now.mono_ns);
    world->now.mono_ns = at_ns;
    if (rng_below(&world->rng, 500) == 0) { // somebody sets the clock: only credentials hang on it
        world->wall_offset_s = offsets_s[rng_below(&world->rng, COUNT_OF(offsets_s))];
        sim_cover_point(world->cover, SIM_COVER_WALL_JUMP);
    }
    world->now.wall_s = 1700000000 + (int64_t)(at_ns / SECOND_NS) + world->wall_offset_s;
    world->trace.now_ns = at_ns;
}

static void live(struct sim_world *world)
{
    for (;;) {
        uint64_t timer_ns = timer(world);
        uint64_t event_ns = sim_queue_next(&world->queue);

        if (timer_ns == NEVER && event_ns == NEVER) {
            return;
        }
        world->cover->events++;
        if (timer_ns <= event_ns) {
            move_to(world, timer_ns > world->now.mono_ns ? timer_ns : world->now.mono_ns);
            sim_server_tick_all(world);
            continue;
        }
        struct sim_event event = sim_queue_take(&world->queue);
        move_to(world, event.at_ns);
        if (event.datagram != NULL) {
            deliver(world, event.datagram);
            sim_datagram_free(event.datagram);
        } else {
            wake(world, event.actor);
        }
    }
}

uint64_t sim_world_run(const struct sim_world_options *options, struct sim_cover *cover)
{
    struct sim_world *world = calloc(1, sizeof *world);

    assert(world != NULL);
    init(world, options, cover);
    live(world);
    for (unsigned i = 0; i < world->setup.config.shard_count; i++) {
        sim_server_check_empty(&world->servers[i], world);
    }
    if (world->system.opened != world->system.closed) {
        sim_trace_fail(&world->trace, "sockets opened and closed differ in number");
    }
    uint64_t hash = world->trace.hash;
    deinit(world);
    free(world);
    return hash;
}
