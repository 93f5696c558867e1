// SPDX-License-Identifier: Apache-2.0
// What each user holds, in whichever shard: the allocations of a name and the ports reserved for
// it, so that one user cannot take them all.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/chain.h"
#include "base/pool.h"
#include "base/table.h"

struct turn_quota_user {
    uint64_t user;          // the name's keyed hash
    uint32_t first_holding; // chain of the user's allocations
    uint32_t held_count;    // allocations and reservations; never 0
};

// One allocation of a user.
struct turn_quota_holding {
    struct chain_link
        link; // in the user's chain; of a replaced one: in its shard's (turn_commons.h)
    uint64_t user;
    uint32_t shard;      // where it is ...
    uint32_t allocation; // ... and its index there
    bool is_replaced;    // counts no more; its shard is to delete it
    uint8_t zero[7];
};

struct turn_quota_store {
    struct pool users;
    struct table by_user;
    struct pool holdings;
};

// `user_capacity`: as many users as there may be allocations and reservations. `holding_capacity`:
// as many as there are places for allocations in all shards together.
size_t turn_quota_store_size(uint32_t user_capacity, uint32_t holding_capacity);
void turn_quota_store_init(struct turn_quota_store *store, void *memory, uint32_t user_capacity,
                           uint32_t holding_capacity);

// How many allocations and reservations a user has.
uint32_t turn_quota_count(const struct turn_quota_store *store, uint64_t user);
// One of the allocations, or POOL_NONE.
uint32_t turn_quota_first(const struct turn_quota_store *store, uint64_t user);
struct turn_quota_holding *turn_quota_at(const struct turn_quota_store *store, uint32_t holding);

// Counts an allocation for its user.
uint32_t turn_quota_enter(struct turn_quota_store *store, uint64_t user, uint32_t shard,
                          uint32_t allocation);
// It counts no more; but it is kept, in no chain, and is_replaced.
void turn_quota_replace(struct turn_quota_store *store, uint32_t holding);
// It is gone. One that was replaced is in no chain.
void turn_quota_leave(struct turn_quota_store *store, uint32_t holding);
// Counts one more reservation for a user; and one less.
void turn_quota_reserve(struct turn_quota_store *store, uint64_t user);
void turn_quota_release(struct turn_quota_store *store, uint64_t user);
