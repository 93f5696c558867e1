// SPDX-License-Identifier: Apache-2.0
// A fast path beside each server: it believes what it is told, and after each call it must know
// just the channels over which, as the oracle has it, data goes now.
#pragma once

#include "sim/sim_oracle.h"
#include "sim/sim_trace.h"

struct sim_path {
    bool is_bound[SIM_SETUP_CHANNELS];
    struct turn_command_bind binds[SIM_SETUP_CHANNELS];
    bool is_late; // a command of another kind has come already in this call
};

// A call to the server begins.
void sim_path_begin(struct sim_path *path);
// One of its commands, of whatever kind.
void sim_path_take(struct sim_path *path, const struct sim_trace *trace,
                   const struct turn_command *command);
// All commands of the call are carried out. What all servers' fast paths know together is right.
void sim_path_check(const struct sim_path *const *paths, size_t path_count,
                    const struct sim_trace *trace, struct sim_oracle *oracle);
