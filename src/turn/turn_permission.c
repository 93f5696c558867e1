// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_permission.h"

#include <assert.h>

#include "turn/turn_server_priv.h"

struct key {
    uint32_t allocation;
    struct addr peer;
};
_Static_assert(sizeof(struct key) == 24, "no padding: it is hashed whole");

_Static_assert(sizeof(struct turn_permission) % 8 == 0, "as a pool wants its items");

size_t turn_permission_store_size(uint32_t capacity)
{
    return table_size(capacity) + pool_size(capacity, sizeof(struct turn_permission));
}

void turn_permission_store_init(struct turn_permission_store *store, void *memory,
                                uint32_t capacity)
{
    table_init(&store->by_peer, memory, capacity);
    pool_init(&store->pool, (uint8_t *)memory + table_size(capacity), capacity,
              sizeof(struct turn_permission));
}

static struct key key_of(uint32_t allocation, const struct addr *peer)
{
    return (struct key){allocation, addr_with_port(*peer, 0)};
}

static uint64_t hash_of(const struct turn_server *server, const struct key *key)
{
    return siphash(&server->hash_key, (struct bytes){(const uint8_t *)key, sizeof *key});
}

static bool has_key(const void *context, uint32_t index, const void *key)
{
    const struct turn_server *server = context;
    const struct turn_permission *permission = pool_at(&server->permissions.pool, index);
    const struct key *wanted = key;

    return permission->allocation == wanted->allocation &&
           addr_equal(&permission->peer, &wanted->peer);
}

uint32_t turn_permission_find(const struct turn_server *server, uint32_t allocation,
                              const struct addr *peer)
{
    struct key key = key_of(allocation, peer);
    return table_find(&server->permissions.by_peer, hash_of(server, &key), has_key, server, &key);
}

// Counts one more of an allocation, if the limits allow it.
static enum turn_refusal claim(struct turn_server *server, uint32_t allocation)
{
    uint32_t own = turn_allocation_at(server, allocation)->permission_count;

    if (own >= server->config.permissions_per_allocation) {
        return TURN_REFUSAL_ALLOCATIONS_PERMISSIONS;
    }
    return turn_commons_claim(server->commons, 1, 0);
}

static uint32_t create(struct turn_server *server, uint32_t allocation, const struct key *key)
{
    struct turn_allocation *owner = turn_allocation_at(server, allocation);
    struct pool *pool = &server->permissions.pool;
    struct pool_ref ref = {0};

    bool is_taken = pool_take(pool, &ref);
    assert(is_taken); // there are as many of these as of all shards' together
    struct turn_permission *permission = pool_at(pool, ref.index);
    permission->allocation = allocation;
    permission->peer = key->peer;
    chain_add(pool, &owner->first_permission, ref.index);
    owner->permission_count++;
    server->stats.permissions_created++;
    table_add(&server->permissions.by_peer, hash_of(server, key), ref.index);
    turn_path_touch_peer(server, allocation, &key->peer);
    return ref.index;
}

enum turn_refusal turn_permission_install(struct turn_server *server, uint32_t allocation,
                                          const struct addr *peer, struct now now)
{
    struct key key = key_of(allocation, peer);
    uint32_t index = turn_permission_find(server, allocation, peer);

    if (index == POOL_NONE) {
        enum turn_refusal limit = claim(server, allocation);
        if (limit != TURN_REFUSAL_NONE) {
            return limit;
        }
        index = create(server, allocation, &key);
    }
    turn_expiry_set(&server->expiry, TURN_EXPIRY_PERMISSION, index,
                    now.mono_ns + TURN_EXPIRY_PERMISSION_NS);
    return TURN_REFUSAL_NONE;
}

void turn_permission_delete(struct turn_server *server, uint32_t index)
{
    struct pool *pool = &server->permissions.pool;
    struct turn_permission *permission = pool_at(pool, index);
    struct turn_allocation *owner = turn_allocation_at(server, permission->allocation);
    struct key key = key_of(permission->allocation, &permission->peer);

    table_remove(&server->permissions.by_peer, hash_of(server, &key), index);
    chain_remove(pool, &owner->first_permission, index);
    assert(owner->permission_count > 0);
    owner->permission_count--;
    turn_expiry_clear(&server->expiry, TURN_EXPIRY_PERMISSION, index);
    turn_path_touch_peer(server, permission->allocation, &permission->peer);
    pool_give(pool, index);
    turn_commons_release(server->commons, 1, 0);
    server->stats.permissions_ended++;
}
