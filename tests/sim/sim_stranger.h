// SPDX-License-Identifier: Apache-2.0
// A stranger who sends garbage, and changed copies of what clients have sent, under any address.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"

struct sim_world;

enum { SIM_STRANGER_HEARD = 16, SIM_STRANGER_LEN_MAX = 1600 };

struct sim_stranger {
    unsigned rounds;
    unsigned heard_count;
    struct {
        struct addr from;
        struct addr to;
        size_t len;
        uint8_t bytes[SIM_STRANGER_LEN_MAX];
    } heard[SIM_STRANGER_HEARD]; // the last requests of clients
};

// It has overheard a datagram.
void sim_stranger_hear(struct sim_stranger *stranger, const struct addr *from,
                       const struct addr *to, struct bytes datagram);
void sim_stranger_wake(struct sim_stranger *stranger, struct sim_world *world, uint32_t actor);
