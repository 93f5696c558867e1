// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_sweep.h"

#include "turn/turn_server_priv.h"

#define PAUSE_NS (SECOND_NS / 1000) // for packets, twice as long as a step takes

static bool is_denied(const struct turn_server *server, uint32_t allocation,
                      const struct addr *peer)
{
    const struct turn_manner *manner =
        turn_allocation_manner(turn_allocation_at(server, allocation));

    return turn_peers_denial(&server->policy->peers, peer, manner->reaches_private) !=
           TURN_REFUSAL_NONE;
}

// As turn_request.c has it: permissions for an own address, which may be for another client at any
// port of it, are never refused, and channels are not where one is.
static bool is_own(const struct turn_server *server, const struct addr *peer)
{
    struct addr copy = *peer;

    return turn_hairpin_is_own(server, &copy);
}

static bool is_client(const struct turn_server *server, const struct addr *peer)
{
    struct addr copy = *peer;

    return turn_hairpin_is_own(server, &copy) &&
           turn_hairpin_shard(server, &copy) != TURN_COMMONS_NO_SHARD;
}

static void look_at_permission(struct turn_server *server, uint32_t index)
{
    const struct pool *pool = &server->permissions.pool;

    if (!pool_has(pool, index)) {
        return;
    }
    const struct turn_permission *permission = pool_at(pool, index);
    if (!is_own(server, &permission->peer) &&
        is_denied(server, permission->allocation, &permission->peer)) {
        turn_permission_delete(server, index);
        server->stats.permissions_revoked++;
    }
}

static void look_at_channel(struct turn_server *server, uint32_t index)
{
    if (!pool_has(&server->channels.pool, index)) {
        return;
    }
    const struct turn_channel *channel = turn_channel_at(server, index);
    if ((channel->path & TURN_CHANNEL_DELETED) != 0) {
        return; // its allocation may be gone
    }
    if (!is_client(server, &channel->peer) &&
        is_denied(server, channel->allocation, &channel->peer)) {
        turn_channel_delete(server, index);
        server->stats.channels_revoked++;
    }
}

static void step(struct turn_server *server, struct now now)
{
    struct turn_sweep *sweep = &server->sweep;
    const uint32_t permission_count = server->permissions.pool.touched;
    const uint32_t channel_count = server->channels.pool.touched;
    uint32_t left = TURN_SWEEP_STEP;

    for (; left > 0 && sweep->next_channel < channel_count; left--) {
        look_at_channel(server, sweep->next_channel++);
    }
    for (; left > 0 && sweep->next_permission < permission_count; left--) {
        look_at_permission(server, sweep->next_permission++);
    }
    sweep->is_on = sweep->next_channel < channel_count || sweep->next_permission < permission_count;
    sweep->due_ns = now.mono_ns + PAUSE_NS;
}

void turn_sweep_begin(struct turn_server *server, struct now now)
{
    server->sweep = (struct turn_sweep){.is_on = true};
    step(server, now);
}

void turn_sweep_tick(struct turn_server *server, struct now now)
{
    if (turn_sweep_deadline(server) <= now.mono_ns) {
        step(server, now);
    }
}

uint64_t turn_sweep_deadline(const struct turn_server *server)
{
    return server->sweep.is_on ? server->sweep.due_ns : NEVER;
}

bool turn_sweep_stops(const struct turn_server *server, uint32_t allocation,
                      const struct addr *peer)
{
    return server->sweep.is_on && !is_own(server, peer) && is_denied(server, allocation, peer);
}
