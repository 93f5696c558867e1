// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_quota.h"

#include <assert.h>

_Static_assert(sizeof(struct turn_quota_user) % 8 == 0, "as a pool wants its items");
_Static_assert(sizeof(struct turn_quota_holding) % 8 == 0, "likewise");

size_t turn_quota_store_size(uint32_t user_capacity, uint32_t holding_capacity)
{
    return table_size(user_capacity) + pool_size(user_capacity, sizeof(struct turn_quota_user)) +
           pool_size(holding_capacity, sizeof(struct turn_quota_holding));
}

void turn_quota_store_init(struct turn_quota_store *store, void *memory, uint32_t user_capacity,
                           uint32_t holding_capacity)
{
    uint8_t *at = memory;

    table_init(&store->by_user, at, user_capacity);
    at += table_size(user_capacity);
    pool_init(&store->users, at, user_capacity, sizeof(struct turn_quota_user));
    at += pool_size(user_capacity, sizeof(struct turn_quota_user));
    pool_init(&store->holdings, at, holding_capacity, sizeof(struct turn_quota_holding));
}

static struct turn_quota_user *user_at(const struct turn_quota_store *store, uint32_t index)
{
    return pool_at(&store->users, index);
}

struct turn_quota_holding *turn_quota_at(const struct turn_quota_store *store, uint32_t holding)
{
    return pool_at(&store->holdings, holding);
}

static bool has_user(const void *context, uint32_t index, const void *key)
{
    return user_at(context, index)->user == *(const uint64_t *)key;
}

// The hash of a name serves as its own hash: it is keyed.
static uint32_t find(const struct turn_quota_store *store, uint64_t user)
{
    return table_find(&store->by_user, user, has_user, store, &user);
}

uint32_t turn_quota_count(const struct turn_quota_store *store, uint64_t user)
{
    uint32_t index = find(store, user);
    return index != TABLE_NONE ? user_at(store, index)->held_count : 0;
}

uint32_t turn_quota_first(const struct turn_quota_store *store, uint64_t user)
{
    uint32_t index = find(store, user);
    return index != TABLE_NONE ? user_at(store, index)->first_holding : POOL_NONE;
}

// Counts one more thing of a user, who is remembered from the first one on.
static struct turn_quota_user *hold(struct turn_quota_store *store, uint64_t user)
{
    uint32_t index = find(store, user);

    if (index == TABLE_NONE) {
        struct pool_ref ref = {0};
        bool is_taken = pool_take(&store->users, &ref);
        assert(is_taken); // there are as many of these as of allocations and reservations
        index = ref.index;
        *user_at(store, index) = (struct turn_quota_user){.user = user, .first_holding = POOL_NONE};
        table_add(&store->by_user, user, index);
    }
    user_at(store, index)->held_count++;
    return user_at(store, index);
}

// One less, and nothing stays of who holds nothing.
static void let_go(struct turn_quota_store *store, uint32_t index)
{
    struct turn_quota_user *holder = user_at(store, index);

    assert(holder->held_count > 0);
    if (--holder->held_count == 0) {
        assert(holder->first_holding == POOL_NONE);
        table_remove(&store->by_user, holder->user, index);
        pool_give(&store->users, index);
    }
}

uint32_t turn_quota_enter(struct turn_quota_store *store, uint64_t user, uint32_t shard,
                          uint32_t allocation)
{
    struct turn_quota_user *holder = hold(store, user);
    struct pool_ref ref = {0};
    bool is_taken = pool_take(&store->holdings, &ref);

    assert(is_taken); // there are as many of these as of allocations in all shards
    *turn_quota_at(store, ref.index) = (struct turn_quota_holding){
        .user = user,
        .shard = shard,
        .allocation = allocation,
    };
    chain_add(&store->holdings, &holder->first_holding, ref.index);
    return ref.index;
}

void turn_quota_replace(struct turn_quota_store *store, uint32_t holding)
{
    struct turn_quota_holding *replaced = turn_quota_at(store, holding);
    uint32_t index = find(store, replaced->user);

    assert(!replaced->is_replaced);
    assert(index != TABLE_NONE);
    chain_remove(&store->holdings, &user_at(store, index)->first_holding, holding);
    let_go(store, index);
    replaced->is_replaced = true;
}

void turn_quota_leave(struct turn_quota_store *store, uint32_t holding)
{
    if (!turn_quota_at(store, holding)->is_replaced) {
        turn_quota_replace(store, holding);
    }
    pool_give(&store->holdings, holding);
}

void turn_quota_reserve(struct turn_quota_store *store, uint64_t user)
{
    IGNORE(hold(store, user)); // there is nothing to add to the chain
}

void turn_quota_release(struct turn_quota_store *store, uint64_t user)
{
    uint32_t index = find(store, user);

    assert(index != TABLE_NONE);
    let_go(store, index);
}
