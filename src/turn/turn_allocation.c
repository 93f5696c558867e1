// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_allocation.h"

#include <assert.h>

#include "turn/turn_server_priv.h"

_Static_assert(sizeof(struct turn_allocation) % 8 == 0, "as a pool wants its items");
_Static_assert(sizeof(struct turn_tuple) == 40, "no padding: it is hashed whole");

size_t turn_allocation_store_size(uint32_t capacity)
{
    return table_size(capacity) + pool_size(capacity, sizeof(struct turn_allocation));
}

void turn_allocation_store_init(struct turn_allocation_store *store, void *memory,
                                uint32_t capacity)
{
    table_init(&store->by_tuple, memory, capacity);
    pool_init(&store->pool, (uint8_t *)memory + table_size(capacity), capacity,
              sizeof(struct turn_allocation));
}

static uint64_t hash_of(const struct turn_server *server, const struct turn_tuple *tuple)
{
    return siphash(&server->hash_key, (struct bytes){(const uint8_t *)tuple, sizeof *tuple});
}

static bool has_tuple(const void *context, uint32_t index, const void *key)
{
    const struct turn_allocation *allocation = turn_allocation_at(context, index);
    const struct turn_tuple *tuple = key;

    return addr_equal(&allocation->tuple.client, &tuple->client) &&
           addr_equal(&allocation->tuple.server, &tuple->server);
}

struct turn_allocation *turn_allocation_at(const struct turn_server *server, uint32_t index)
{
    return pool_at(&server->allocations.pool, index);
}

uint32_t turn_allocation_find(const struct turn_server *server, const struct turn_tuple *tuple)
{
    return table_find(&server->allocations.by_tuple, hash_of(server, tuple), has_tuple, server,
                      tuple);
}

struct addr turn_allocation_relayed(const struct turn_server *server,
                                    const struct turn_allocation *allocation)
{
    const struct addr *public =
        allocation->family == ADDR_IP4 ? &server->config.public_ip4 : &server->config.public_ip6;
    return addr_with_port(*public, allocation->port);
}

uint32_t turn_allocation_create(struct turn_server *server, const struct turn_tuple *tuple,
                                enum addr_family family)
{
    struct turn_allocation_store *store = &server->allocations;
    struct pool_ref ref = {0};

    assert(turn_allocation_find(server, tuple) == POOL_NONE);
    if (!pool_take(&store->pool, &ref)) {
        return POOL_NONE;
    }
    *turn_allocation_at(server, ref.index) = (struct turn_allocation){
        .tuple = *tuple,
        .family = (uint8_t)family,
        .state = TURN_ALLOCATION_OPENING,
        .first_permission = POOL_NONE,
        .first_channel = POOL_NONE,
    };
    table_add(&store->by_tuple, hash_of(server, tuple), ref.index);
    return ref.index;
}

void turn_allocation_opened(struct turn_server *server, uint32_t index, uint16_t port,
                            struct now now, uint32_t lifetime_s)
{
    struct turn_allocation *allocation = turn_allocation_at(server, index);

    assert(allocation->state == TURN_ALLOCATION_OPENING);
    allocation->state = TURN_ALLOCATION_LIVE;
    allocation->port = port;
    allocation->granted_s = lifetime_s;
    server->stats.allocations_created++;
    turn_allocation_refresh(server, index, now, lifetime_s);
}

void turn_allocation_refresh(struct turn_server *server, uint32_t index, struct now now,
                             uint32_t lifetime_s)
{
    assert(turn_allocation_at(server, index)->state == TURN_ALLOCATION_LIVE);
    turn_expiry_set(&server->expiry, TURN_EXPIRY_ALLOCATION, index,
                    now.mono_ns + lifetime_s * SECOND_NS);
}

static void order_closed(struct turn_server *server, uint32_t index, enum turn_event event)
{
    const struct turn_allocation *allocation = turn_allocation_at(server, index);
    struct addr relayed = turn_allocation_relayed(server, allocation);
    const struct turn_command close = {
        .type = TURN_COMMAND_CLOSE,
        .socket = {pool_ref(&server->allocations.pool, index), relayed},
    };
    const struct turn_command report = {
        .type = TURN_COMMAND_REPORT,
        .report = {.event = event, .tuple = allocation->tuple, .relayed = relayed},
    };

    turn_outbox_add(&server->outbox, &close);
    turn_outbox_add(&server->outbox, &report);
}

void turn_allocation_delete(struct turn_server *server, uint32_t index, enum turn_event event)
{
    struct turn_allocation_store *store = &server->allocations;
    struct turn_allocation *allocation = turn_allocation_at(server, index);

    if (allocation->state == TURN_ALLOCATION_LIVE) {
        order_closed(server, index, event);
        turn_ports_give(&server->ports, allocation->port);
    }
    while (allocation->first_permission != POOL_NONE) {
        turn_permission_delete(server, allocation->first_permission);
    }
    while (allocation->first_channel != POOL_NONE) {
        turn_channel_delete(server, allocation->first_channel);
    }
    turn_expiry_clear(&server->expiry, TURN_EXPIRY_ALLOCATION, index);
    table_remove(&store->by_tuple, hash_of(server, &allocation->tuple), index);
    pool_give(&store->pool, index);
}
