// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_path.h"

#include <assert.h>

#include "turn/turn_relay.h"
#include "turn/turn_server_priv.h"

void turn_path_init(struct turn_path_queue *queue)
{
    queue->first = POOL_NONE;
}

bool turn_path_is_settled(const struct turn_server *server)
{
    return server->paths.first == POOL_NONE;
}

void turn_path_touch(struct turn_server *server, uint32_t channel)
{
    struct turn_channel *at = turn_channel_at(server, channel);

    if (!server->config.has_fast_path || (at->path & TURN_CHANNEL_TOUCHED) != 0) {
        return;
    }
    at->path |= TURN_CHANNEL_TOUCHED;
    at->next_touched = server->paths.first;
    server->paths.first = channel;
}

// `peer` is NULL for all channels.
static void touch_some(struct turn_server *server, uint32_t allocation, const struct addr *peer)
{
    uint32_t channel = turn_allocation_at(server, allocation)->first_channel;

    if (!server->config.has_fast_path) {
        return;
    }
    while (channel != POOL_NONE) {
        const struct turn_channel *at = turn_channel_at(server, channel);
        if (peer == NULL || addr_same_ip(&at->peer, peer)) {
            turn_path_touch(server, channel);
        }
        channel = at->link.next;
    }
}

void turn_path_touch_peer(struct turn_server *server, uint32_t allocation, const struct addr *peer)
{
    touch_some(server, allocation, peer);
}

void turn_path_touch_all(struct turn_server *server, uint32_t allocation)
{
    touch_some(server, allocation, NULL);
}

void turn_path_release(struct turn_server *server, uint32_t channel)
{
    struct turn_channel *at = turn_channel_at(server, channel);

    if (at->path == 0) {
        pool_give(&server->channels.pool, channel);
        return;
    }
    at->path |= TURN_CHANNEL_DELETED;
    turn_path_touch(server, channel);
}

// Data may go over the channel now, in both directions.
static bool is_open(const struct turn_server *server, uint32_t channel)
{
    const struct turn_channel *at = turn_channel_at(server, channel);

    if ((at->path & TURN_CHANNEL_DELETED) != 0 || at->is_resting) {
        return false;
    }
    return turn_allocation_has_family(turn_allocation_at(server, at->allocation),
                                      at->peer.family) &&
           turn_relay_is_permitted(server, at->allocation, &at->peer, channel) &&
           !turn_hairpin_is_listener(server, &at->peer);
}

static struct turn_command bind_command(const struct turn_server *server, uint32_t channel)
{
    const struct turn_channel *at = turn_channel_at(server, channel);
    const struct turn_allocation *allocation = turn_allocation_at(server, at->allocation);
    struct addr peer = at->peer;
    bool is_turned = turn_hairpin_is_own(server, &peer);

    return (struct turn_command){
        .type = TURN_COMMAND_BIND,
        .bind =
            {
                .channel = channel,
                .number = at->number,
                .is_turned = is_turned,
                .tuple = allocation->tuple,
                .relayed = turn_allocation_relayed(server, allocation, peer.family),
                .peer = peer,
            },
    };
}

static struct turn_command unbind_command(uint32_t channel)
{
    return (struct turn_command){.type = TURN_COMMAND_UNBIND, .unbind = {.channel = channel}};
}

// Brings one touched channel up to date. True when that takes a command.
static bool settle(struct turn_server *server, uint32_t channel, struct turn_command *out)
{
    struct turn_channel *at = turn_channel_at(server, channel);
    bool was_open = (at->path & TURN_CHANNEL_OPEN) != 0;
    bool is_now = is_open(server, channel);

    at->path &= (uint8_t)~TURN_CHANNEL_TOUCHED;
    if (is_now && !was_open) {
        at->path |= TURN_CHANNEL_OPEN;
        *out = bind_command(server, channel);
    } else if (was_open && !is_now) {
        at->path &= (uint8_t)~TURN_CHANNEL_OPEN;
        *out = unbind_command(channel);
    }
    if ((at->path & TURN_CHANNEL_DELETED) != 0) {
        pool_give(&server->channels.pool, channel);
    }
    return is_now != was_open;
}

bool turn_path_take(struct turn_server *server, struct turn_command *out)
{
    while (server->paths.first != POOL_NONE) {
        uint32_t channel = server->paths.first;
        server->paths.first = turn_channel_at(server, channel)->next_touched;
        if (settle(server, channel, out)) {
            return true;
        }
    }
    return false;
}
