// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_path.h"

#include <string.h>

void sim_path_begin(struct sim_path *path)
{
    path->is_late = false;
}

static void bind(struct sim_path *path, const struct sim_trace *trace,
                 const struct turn_command_bind *bind)
{
    if (bind->channel >= SIM_SETUP_CHANNELS || path->is_bound[bind->channel]) {
        sim_trace_fail(trace, "path %u is bound, but it was already or is none", bind->channel);
    }
    path->is_bound[bind->channel] = true;
    path->binds[bind->channel] = *bind;
}

static void unbind(struct sim_path *path, const struct sim_trace *trace, uint32_t channel)
{
    if (channel >= SIM_SETUP_CHANNELS || !path->is_bound[channel]) {
        sim_trace_fail(trace, "path %u is unbound, but it was not bound", channel);
    }
    path->is_bound[channel] = false;
}

void sim_path_take(struct sim_path *path, const struct sim_trace *trace,
                   const struct turn_command *command)
{
    bool is_path = command->type == TURN_COMMAND_BIND || command->type == TURN_COMMAND_UNBIND;

    if (is_path && path->is_late) {
        sim_trace_fail(trace, "a path changes after something else was done");
    }
    path->is_late = path->is_late || !is_path;
    if (command->type == TURN_COMMAND_BIND) {
        bind(path, trace, &command->bind);
    } else if (command->type == TURN_COMMAND_UNBIND) {
        unbind(path, trace, command->unbind.channel);
    }
}

static bool is_open(struct sim_oracle *oracle, const struct sim_oracle_channel *channel)
{
    const struct sim_oracle_allocation *owner = &oracle->allocations[channel->allocation];

    if (channel->until_ns == 0 || channel->is_resting ||
        (owner->bound & sim_oracle_bit(channel->peer.family)) == 0) {
        return false;
    }
    return owner->is_firezone ||
           sim_oracle_permission(oracle, channel->allocation, &channel->peer) != NULL;
}

static bool knows(const struct sim_path *path, const struct turn_command_bind *wanted)
{
    for (unsigned i = 0; i < SIM_SETUP_CHANNELS; i++) {
        const struct turn_command_bind *bind = &path->binds[i];
        if (path->is_bound[i] && bind->number == wanted->number &&
            bind->is_turned == wanted->is_turned &&
            memcmp(&bind->tuple, &wanted->tuple, sizeof bind->tuple) == 0 &&
            addr_equal(&bind->relayed, &wanted->relayed) &&
            addr_equal(&bind->peer, &wanted->peer)) {
            return true;
        }
    }
    return false;
}

static unsigned count(const struct sim_path *path)
{
    unsigned bound = 0;

    for (unsigned i = 0; i < SIM_SETUP_CHANNELS; i++) {
        bound += path->is_bound[i];
    }
    return bound;
}

void sim_path_check(const struct sim_path *const *paths, size_t path_count,
                    const struct sim_trace *trace, struct sim_oracle *oracle)
{
    const struct turn_config *config = &oracle->setup->config;
    unsigned open = 0;
    unsigned bound = 0;

    for (size_t i = 0; i < path_count; i++) {
        bound += count(paths[i]);
    }
    for (unsigned i = 0; i < SIM_SETUP_CHANNELS; i++) {
        const struct sim_oracle_channel *channel = &oracle->channels[i];
        if (!config->has_fast_path || !is_open(oracle, channel)) {
            continue;
        }
        const struct sim_oracle_allocation *owner = &oracle->allocations[channel->allocation];
        const struct addr *public =
            channel->peer.family == ADDR_IP4 ? &config->public_ip4 : &config->public_ip6;
        struct turn_command_bind wanted = {
            .number = (uint16_t)channel->number,
            .tuple = owner->tuple,
            .relayed = addr_with_port(*public, owner->port),
            .peer = channel->peer,
        };
        wanted.is_turned = sim_oracle_is_own(oracle, &wanted.peer);
        open++;
        if (!knows(paths[owner->name.home], &wanted)) {
            sim_trace_fail(trace, "channel %x is open, but the fast path does not know it",
                           channel->number);
        }
    }
    if (bound != open) {
        sim_trace_fail(trace, "the fast path knows %u channels, but %u are open", bound, open);
    }
}
