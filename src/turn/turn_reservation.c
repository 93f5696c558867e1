// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_reservation.h"

#include <assert.h>
#include <string.h>

_Static_assert(sizeof(struct turn_reservation) % 8 == 0, "as a pool wants its items");

// The token proves the right only together with the user.
struct key {
    uint64_t user;
    uint8_t token[STUN_ATTR_RESERVATION_LEN];
};
_Static_assert(sizeof(struct key) == 16, "no padding: it is hashed whole");

size_t turn_reservation_store_size(uint32_t capacity)
{
    return table_size(capacity) + pool_size(capacity, sizeof(struct turn_reservation));
}

void turn_reservation_store_init(struct turn_reservation_store *store, void *memory,
                                 uint32_t capacity, const struct siphash_key *hash_key)
{
    store->hash_key = *hash_key;
    store->newest = POOL_NONE;
    store->oldest = POOL_NONE;
    table_init(&store->by_token, memory, capacity);
    pool_init(&store->pool, (uint8_t *)memory + table_size(capacity), capacity,
              sizeof(struct turn_reservation));
}

static uint64_t hash_of(const struct turn_reservation_store *store, const struct key *key)
{
    return siphash(&store->hash_key, (struct bytes){(const uint8_t *)key, sizeof *key});
}

static struct turn_reservation *at(const struct turn_reservation_store *store, uint32_t index)
{
    return pool_at(&store->pool, index);
}

static bool has_key(const void *context, uint32_t index, const void *key)
{
    const struct turn_reservation *reservation = at(context, index);
    const struct key *wanted = key;

    return reservation->user == wanted->user &&
           memcmp(reservation->token, wanted->token, sizeof wanted->token) == 0;
}

static struct key key_of(const struct turn_reservation *reservation)
{
    struct key key = {.user = reservation->user};
    memcpy(key.token, reservation->token, sizeof key.token);
    return key;
}

bool turn_reservation_has_room(const struct turn_reservation_store *store)
{
    return !pool_is_full(&store->pool);
}

uint32_t turn_reservation_hold(struct turn_reservation_store *store, uint64_t user)
{
    struct pool_ref ref = {0};
    bool is_taken = pool_take(&store->pool, &ref);

    assert(is_taken); // the caller asked whether there is room
    at(store, ref.index)->user = user;
    return ref.index;
}

uint64_t turn_reservation_drop(struct turn_reservation_store *store, uint32_t index)
{
    uint64_t user = at(store, index)->user;

    assert(!at(store, index)->is_offered);
    pool_give(&store->pool, index);
    return user;
}

void turn_reservation_offer(struct turn_reservation_store *store, uint32_t index, struct now now,
                            uint16_t port, uint8_t family,
                            const uint8_t token[STUN_ATTR_RESERVATION_LEN])
{
    struct turn_reservation *reservation = at(store, index);

    assert(!reservation->is_offered);
    reservation->is_offered = true;
    reservation->port = port;
    reservation->family = family;
    reservation->until_ns = now.mono_ns + TURN_RESERVATION_LIFETIME_NS;
    memcpy(reservation->token, token, sizeof reservation->token);
    struct key key = key_of(reservation);
    table_add(&store->by_token, hash_of(store, &key), index);
    chain_add(&store->pool, &store->newest, index);
    if (store->oldest == POOL_NONE) {
        store->oldest = index;
    }
}

// Frees one that was offered.
static struct turn_reservation forget(struct turn_reservation_store *store, uint32_t index)
{
    struct turn_reservation reservation = *at(store, index);
    struct key key = key_of(&reservation);

    assert(reservation.is_offered);
    if (store->oldest == index) {
        store->oldest = reservation.link.previous;
    }
    chain_remove(&store->pool, &store->newest, index);
    table_remove(&store->by_token, hash_of(store, &key), index);
    pool_give(&store->pool, index);
    return reservation;
}

bool turn_reservation_redeem(struct turn_reservation_store *store, uint64_t user,
                             struct bytes token, struct turn_reservation *out)
{
    struct key key = {.user = user};

    if (token.len != sizeof key.token) {
        return false;
    }
    memcpy(key.token, token.ptr, sizeof key.token);
    uint32_t index = table_find(&store->by_token, hash_of(store, &key), has_key, store, &key);
    if (index == TABLE_NONE) {
        return false;
    }
    *out = forget(store, index);
    return true;
}

bool turn_reservation_expire(struct turn_reservation_store *store, struct now now,
                             struct turn_reservation *out)
{
    if (store->oldest == POOL_NONE || at(store, store->oldest)->until_ns > now.mono_ns) {
        return false;
    }
    *out = forget(store, store->oldest);
    return true;
}
