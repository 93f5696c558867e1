// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_quota.h"

#include <assert.h>

#include "turn/turn_server_priv.h"

_Static_assert(sizeof(struct turn_quota_user) % 8 == 0, "as a pool wants its items");

size_t turn_quota_store_size(uint32_t capacity)
{
    return table_size(capacity) + pool_size(capacity, sizeof(struct turn_quota_user));
}

void turn_quota_store_init(struct turn_quota_store *store, void *memory, uint32_t capacity)
{
    table_init(&store->by_user, memory, capacity);
    pool_init(&store->pool, (uint8_t *)memory + table_size(capacity), capacity,
              sizeof(struct turn_quota_user));
}

static struct turn_quota_user *at(const struct turn_server *server, uint32_t index)
{
    return pool_at(&server->quotas.pool, index);
}

static bool has_user(const void *context, uint32_t index, const void *key)
{
    return at(context, index)->user == *(const uint64_t *)key;
}

// The hash of a name serves as its own hash: it is keyed.
static uint32_t find(const struct turn_server *server, uint64_t user)
{
    return table_find(&server->quotas.by_user, user, has_user, server, &user);
}

uint32_t turn_quota_count(const struct turn_server *server, uint64_t user)
{
    uint32_t index = find(server, user);
    return index != TABLE_NONE ? at(server, index)->held_count : 0;
}

uint32_t turn_quota_first(const struct turn_server *server, uint64_t user)
{
    uint32_t index = find(server, user);
    return index != TABLE_NONE ? at(server, index)->first_allocation : POOL_NONE;
}

// Counts one more thing of a user, who is remembered from the first one on.
static struct turn_quota_user *hold(struct turn_server *server, uint64_t user)
{
    uint32_t index = find(server, user);

    if (index == TABLE_NONE) {
        struct pool_ref ref = {0};
        bool is_taken = pool_take(&server->quotas.pool, &ref);
        assert(is_taken); // there are as many of these as of allocations and reservations
        index = ref.index;
        *at(server, index) = (struct turn_quota_user){.user = user, .first_allocation = POOL_NONE};
        table_add(&server->quotas.by_user, user, index);
    }
    at(server, index)->held_count++;
    return at(server, index);
}

// One less, and nothing stays of who holds nothing.
static void let_go(struct turn_server *server, uint32_t index)
{
    struct turn_quota_user *holder = at(server, index);

    assert(holder->held_count > 0);
    if (--holder->held_count == 0) {
        assert(holder->first_allocation == POOL_NONE);
        table_remove(&server->quotas.by_user, holder->user, index);
        pool_give(&server->quotas.pool, index);
    }
}

void turn_quota_enter(struct turn_server *server, uint32_t allocation)
{
    struct turn_quota_user *holder = hold(server, turn_allocation_at(server, allocation)->user);

    chain_add(&server->allocations.pool, &holder->first_allocation, allocation);
}

void turn_quota_leave(struct turn_server *server, uint32_t allocation)
{
    uint32_t index = find(server, turn_allocation_at(server, allocation)->user);

    assert(index != TABLE_NONE);
    chain_remove(&server->allocations.pool, &at(server, index)->first_allocation, allocation);
    let_go(server, index);
}

void turn_quota_reserve(struct turn_server *server, uint64_t user)
{
    IGNORE(hold(server, user)); // there is nothing to add to the chain
}

void turn_quota_release(struct turn_server *server, uint64_t user)
{
    uint32_t index = find(server, user);

    assert(index != TABLE_NONE);
    let_go(server, index);
}
