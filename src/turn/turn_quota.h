// SPDX-License-Identifier: Apache-2.0
// What each user holds: the allocations of a name and the ports reserved for it, so that one user
// cannot take them all.
#pragma once

#include <stdint.h>

#include "base/pool.h"
#include "base/table.h"

struct turn_server;

struct turn_quota_user {
    uint64_t user;             // the name's keyed hash
    uint32_t first_allocation; // chain of the user's allocations
    uint32_t held_count;       // allocations and reservations; never 0
};

struct turn_quota_store {
    struct pool pool;
    struct table by_user;
};

// As many users as there may be allocations and reservations.
size_t turn_quota_store_size(uint32_t capacity);
void turn_quota_store_init(struct turn_quota_store *store, void *memory, uint32_t capacity);

// How many allocations and reservations a user has.
uint32_t turn_quota_count(const struct turn_server *server, uint64_t user);
// One of the allocations, or POOL_NONE.
uint32_t turn_quota_first(const struct turn_server *server, uint64_t user);
// Counts an allocation for its user, once; and no longer.
void turn_quota_enter(struct turn_server *server, uint32_t allocation);
void turn_quota_leave(struct turn_server *server, uint32_t allocation);
// Counts one more reservation for a user; and one less.
void turn_quota_reserve(struct turn_server *server, uint64_t user);
void turn_quota_release(struct turn_server *server, uint64_t user);
