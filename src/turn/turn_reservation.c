// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_reservation.h"

#include <assert.h>
#include <string.h>

#include "turn/turn_server_priv.h"

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
                                 uint32_t capacity)
{
    table_init(&store->by_token, memory, capacity);
    pool_init(&store->pool, (uint8_t *)memory + table_size(capacity), capacity,
              sizeof(struct turn_reservation));
}

static uint64_t hash_of(const struct turn_server *server, const struct key *key)
{
    return siphash(&server->hash_key, (struct bytes){(const uint8_t *)key, sizeof *key});
}

static struct turn_reservation *at(const struct turn_server *server, uint32_t index)
{
    return pool_at(&server->reservations.pool, index);
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

bool turn_reservation_has_room(const struct turn_server *server)
{
    return !pool_is_full(&server->reservations.pool);
}

void turn_reservation_make(struct turn_server *server, uint64_t user, uint16_t port, uint8_t family,
                           struct now now, uint8_t token[STUN_ATTR_RESERVATION_LEN])
{
    struct pool_ref ref = {0};
    bool is_taken = pool_take(&server->reservations.pool, &ref);

    assert(is_taken); // the caller asked whether there is room
    struct turn_reservation *reservation = at(server, ref.index);
    crypto_random_fill(&server->random, reservation->token, sizeof reservation->token);
    reservation->user = user;
    reservation->port = port;
    reservation->family = family;
    struct key key = key_of(reservation);
    table_add(&server->reservations.by_token, hash_of(server, &key), ref.index);
    turn_expiry_set(&server->expiry, TURN_EXPIRY_RESERVATION, ref.index,
                    now.mono_ns + TURN_EXPIRY_RESERVATION_NS);
    turn_quota_reserve(server, user);
    memcpy(token, reservation->token, sizeof reservation->token);
}

// Frees it; its port stays taken.
static void forget(struct turn_server *server, uint32_t index)
{
    struct key key = key_of(at(server, index));

    table_remove(&server->reservations.by_token, hash_of(server, &key), index);
    turn_expiry_clear(&server->expiry, TURN_EXPIRY_RESERVATION, index);
    turn_quota_release(server, at(server, index)->user);
    pool_give(&server->reservations.pool, index);
}

bool turn_reservation_redeem(struct turn_server *server, uint64_t user, struct bytes token,
                             uint16_t *port, uint8_t *family)
{
    struct key key = {.user = user};

    if (token.len != sizeof key.token) {
        return false;
    }
    memcpy(key.token, token.ptr, sizeof key.token);
    uint32_t index =
        table_find(&server->reservations.by_token, hash_of(server, &key), has_key, server, &key);
    if (index == TABLE_NONE) {
        return false;
    }
    *port = at(server, index)->port;
    *family = at(server, index)->family;
    forget(server, index);
    return true;
}

void turn_reservation_expire(struct turn_server *server, uint32_t index)
{
    uint16_t port = at(server, index)->port;

    forget(server, index);
    turn_ports_give(&server->ports, port);
}
