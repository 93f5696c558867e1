// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_link.h"

#include "sim/sim_world.h"

#define MILLISECOND_NS UINT64_C(1000000)

struct sim_link sim_link_random(struct rng *rng)
{
    struct sim_link link = {.delay_ns = rng_below(rng, 40) * MILLISECOND_NS};

    if (rng_chance(rng, 60)) {
        link.loss_percent = (unsigned)rng_below(rng, 20);
        link.double_percent = (unsigned)rng_below(rng, 20);
        link.jitter_ns = rng_below(rng, 300) * MILLISECOND_NS;
    }
    return link;
}

static void deliver(struct sim_world *world, const struct addr *from, const struct addr *to,
                    struct bytes datagram)
{
    uint64_t delay_ns = world->link.delay_ns + rng_below(&world->rng, world->link.jitter_ns + 1);

    sim_queue_add(&world->queue, world->now.mono_ns + delay_ns,
                  sim_datagram_new(from, to, datagram), 0);
}

void sim_link_send(struct sim_world *world, const struct addr *from, const struct addr *to,
                   struct bytes datagram)
{
    if (rng_chance(&world->rng, world->link.loss_percent)) {
        sim_cover_point(world->cover, SIM_COVER_LINK_LOST);
        return;
    }
    deliver(world, from, to, datagram);
    if (rng_chance(&world->rng, world->link.double_percent)) {
        sim_cover_point(world->cover, SIM_COVER_LINK_DOUBLED);
        deliver(world, from, to, datagram);
    }
}
