// SPDX-License-Identifier: Apache-2.0
// Somebody changes the configuration while the world goes on, and all servers adopt it; or has them
// drain.
#pragma once

#include <stdint.h>

struct sim_world;

// The policy with which the servers begin.
void sim_reload_init(struct sim_world *world);
void sim_reload_deinit(struct sim_world *world);
// Changes the configuration, perhaps has the servers drain, and perhaps does so again later.
void sim_reload_wake(struct sim_world *world, uint32_t actor);
