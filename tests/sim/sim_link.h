// SPDX-License-Identifier: Apache-2.0
// The way between any two nodes: it delays, loses, doubles and, since each datagram has a delay of
// its own, reorders.
#pragma once

#include "base/addr.h"
#include "base/bytes.h"
#include "support/rng.h"

struct sim_world;

struct sim_link {
    unsigned loss_percent;
    unsigned double_percent;
    uint64_t delay_ns;  // at least
    uint64_t jitter_ns; // more than that at most
};

// A link by seed: from perfect to miserable.
struct sim_link sim_link_random(struct rng *rng);

// Sends a datagram on its way.
void sim_link_send(struct sim_world *world, const struct addr *from, const struct addr *to,
                   struct bytes datagram);
