// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_reload.h"

#include <assert.h>
#include <stdlib.h>

#include "sim/sim_world.h"

static struct turn_policy *make(struct sim_world *world)
{
    uint8_t seed[SIPHASH_KEY_LEN];
    void *memory = calloc(1, turn_policy_size(&world->setup.config));

    assert(memory != NULL);
    rng_fill(&world->rng, seed, sizeof seed);
    return turn_policy_init(memory, &world->setup.config, seed);
}

void sim_reload_init(struct sim_world *world)
{
    world->policy = make(world);
}

void sim_reload_deinit(struct sim_world *world)
{
    turn_policy_deinit(world->policy);
    free(world->policy);
}

void sim_reload_wake(struct sim_world *world, uint32_t actor)
{
    struct turn_policy *former = world->policy;

    sim_server_tick_all(world);
    sim_setup_change(&world->setup, &world->rng);
    world->policy = make(world);
    sim_trace_note(&world->trace, "reload", NULL, world->setup.config.rule_count);
    sim_cover_point(world->cover, SIM_COVER_RELOAD);
    if (!turn_peers_equal(&former->peers, &world->policy->peers)) {
        sim_oracle_sweep(&world->oracle); // else nobody looks whether a peer is still there
    }
    sim_server_adopt_all(world, world->policy);
    turn_policy_deinit(former);
    free(former);
    if (rng_chance(&world->rng, 10)) {
        sim_trace_note(&world->trace, "drain", NULL, 0);
        turn_commons_drain(world->commons);
        world->oracle.is_draining = true;
    }
    if (rng_chance(&world->rng, 50)) {
        sim_world_wake(world, actor, rng_below(&world->rng, 1000 * SECOND_NS));
    }
}
