// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_channel.h"

#include <assert.h>

#include "turn/turn_server_priv.h"

// One form for both tables: a channel is found by its number with no peer, or by its peer with
// number 0, which is no channel's.
struct key {
    uint32_t allocation;
    uint32_t number;
    struct addr peer;
};
_Static_assert(sizeof(struct key) == 28, "no padding: it is hashed whole");
_Static_assert(sizeof(struct turn_channel) % 8 == 0, "as a pool wants its items");

size_t turn_channel_store_size(uint32_t capacity)
{
    return 2 * table_size(capacity) + pool_size(capacity, sizeof(struct turn_channel));
}

void turn_channel_store_init(struct turn_channel_store *store, void *memory, uint32_t capacity)
{
    uint8_t *at = memory;

    table_init(&store->by_number, at, capacity);
    table_init(&store->by_peer, at + table_size(capacity), capacity);
    pool_init(&store->pool, at + 2 * table_size(capacity), capacity, sizeof(struct turn_channel));
}

static uint64_t hash_of(const struct turn_server *server, const struct key *key)
{
    return siphash(&server->hash_key, (struct bytes){(const uint8_t *)key, sizeof *key});
}

static struct key number_key(uint32_t allocation, uint16_t number)
{
    return (struct key){.allocation = allocation, .number = number};
}

static struct key peer_key(uint32_t allocation, const struct addr *peer)
{
    return (struct key){.allocation = allocation, .peer = *peer};
}

static bool has_number(const void *context, uint32_t index, const void *key)
{
    const struct turn_channel *channel = turn_channel_at(context, index);
    const struct key *wanted = key;

    return channel->allocation == wanted->allocation && channel->number == wanted->number;
}

static bool has_peer(const void *context, uint32_t index, const void *key)
{
    const struct turn_channel *channel = turn_channel_at(context, index);
    const struct key *wanted = key;

    return channel->allocation == wanted->allocation && addr_equal(&channel->peer, &wanted->peer);
}

struct turn_channel *turn_channel_at(const struct turn_server *server, uint32_t index)
{
    return pool_at(&server->channels.pool, index);
}

uint32_t turn_channel_find(const struct turn_server *server, uint32_t allocation, uint16_t number)
{
    struct key key = number_key(allocation, number);
    return table_find(&server->channels.by_number, hash_of(server, &key), has_number, server, &key);
}

uint32_t turn_channel_find_peer(const struct turn_server *server, uint32_t allocation,
                                const struct addr *peer)
{
    struct key key = peer_key(allocation, peer);
    return table_find(&server->channels.by_peer, hash_of(server, &key), has_peer, server, &key);
}

// Counts one more of an allocation, if the limits allow it.
static enum turn_refusal claim(struct turn_server *server, uint32_t allocation)
{
    uint32_t own = turn_allocation_at(server, allocation)->channel_count;

    if (own >= server->config.channels_per_allocation) {
        return TURN_REFUSAL_ALLOCATIONS_CHANNELS;
    }
    return turn_commons_claim(server->commons, 0, 1);
}

enum turn_refusal turn_channel_create(struct turn_server *server, uint32_t allocation,
                                      uint16_t number, const struct addr *peer, struct now now)
{
    struct turn_allocation *owner = turn_allocation_at(server, allocation);
    struct turn_channel_store *store = &server->channels;
    struct key by_number = number_key(allocation, number);
    struct key by_peer = peer_key(allocation, peer);
    struct pool_ref ref = {0};

    assert(turn_channel_find(server, allocation, number) == POOL_NONE);
    assert(turn_channel_find_peer(server, allocation, peer) == POOL_NONE);
    enum turn_refusal limit = claim(server, allocation);
    if (limit != TURN_REFUSAL_NONE) {
        return limit;
    }
    bool is_taken = pool_take(&store->pool, &ref);
    assert(is_taken); // there are as many of these as of all shards' together
    struct turn_channel *channel = turn_channel_at(server, ref.index);
    channel->allocation = allocation;
    channel->number = number;
    channel->peer = *peer;
    channel->path = 0;
    chain_add(&store->pool, &owner->first_channel, ref.index);
    owner->channel_count++;
    server->stats.channels_created++;
    table_add(&store->by_number, hash_of(server, &by_number), ref.index);
    table_add(&store->by_peer, hash_of(server, &by_peer), ref.index);
    turn_channel_refresh(server, ref.index, now);
    return TURN_REFUSAL_NONE;
}

void turn_channel_refresh(struct turn_server *server, uint32_t index, struct now now)
{
    turn_channel_at(server, index)->is_resting = false;
    turn_expiry_set(&server->expiry, TURN_EXPIRY_CHANNEL, index,
                    now.mono_ns + TURN_EXPIRY_CHANNEL_NS);
    turn_path_touch(server, index);
}

void turn_channel_expire(struct turn_server *server, uint32_t index, struct now now)
{
    struct turn_channel *channel = turn_channel_at(server, index);
    const struct turn_allocation *owner = turn_allocation_at(server, channel->allocation);
    uint32_t rest_s = turn_allocation_manner(owner)->channel_rest_s;

    if (channel->is_resting || rest_s == 0) {
        turn_channel_delete(server, index);
        return;
    }
    channel->is_resting = true;
    turn_expiry_set(&server->expiry, TURN_EXPIRY_CHANNEL, index, now.mono_ns + rest_s * SECOND_NS);
    turn_path_touch(server, index);
}

void turn_channel_delete(struct turn_server *server, uint32_t index)
{
    struct turn_channel_store *store = &server->channels;
    struct turn_channel *channel = turn_channel_at(server, index);
    struct turn_allocation *owner = turn_allocation_at(server, channel->allocation);
    struct key by_number = number_key(channel->allocation, channel->number);
    struct key by_peer = peer_key(channel->allocation, &channel->peer);

    table_remove(&store->by_number, hash_of(server, &by_number), index);
    table_remove(&store->by_peer, hash_of(server, &by_peer), index);
    chain_remove(&store->pool, &owner->first_channel, index);
    assert(owner->channel_count > 0);
    owner->channel_count--;
    turn_expiry_clear(&server->expiry, TURN_EXPIRY_CHANNEL, index);
    turn_path_release(server, index);
    turn_commons_release(server->commons, 0, 1);
    server->stats.channels_ended++;
}
