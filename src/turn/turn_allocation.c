// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_allocation.h"

#include <assert.h>

#include "turn/turn_server_priv.h"

enum { PORT_COUNT = 65536 };

_Static_assert(sizeof(struct turn_allocation) % 8 == 0, "as a pool wants its items");
_Static_assert(sizeof(struct turn_tuple) == 40, "no padding: it is hashed whole");

static const uint8_t families[] = {ADDR_IP4, ADDR_IP6};

size_t turn_allocation_store_size(uint32_t capacity)
{
    return table_size(capacity) + PORT_COUNT * sizeof(uint32_t) +
           pool_size(capacity, sizeof(struct turn_allocation));
}

void turn_allocation_store_init(struct turn_allocation_store *store, void *memory,
                                uint32_t capacity)
{
    uint8_t *at = memory;

    table_init(&store->by_tuple, at, capacity);
    at += table_size(capacity);
    store->by_port = (uint32_t *)(void *)at;
    at += PORT_COUNT * sizeof(uint32_t);
    pool_init(&store->pool, at, capacity, sizeof(struct turn_allocation));
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

uint32_t turn_allocation_find_port(const struct turn_server *server, uint16_t port)
{
    uint32_t index_plus_one = server->allocations.by_port[port];
    return index_plus_one != 0 ? index_plus_one - 1 : POOL_NONE;
}

uint8_t turn_allocation_family_bit(uint8_t family)
{
    return family == ADDR_IP4 ? TURN_ALLOCATION_IP4 : TURN_ALLOCATION_IP6;
}

bool turn_allocation_has_family(const struct turn_allocation *allocation, uint8_t family)
{
    return (allocation->families & turn_allocation_family_bit(family)) != 0;
}

struct addr turn_allocation_relayed(const struct turn_server *server,
                                    const struct turn_allocation *allocation, uint8_t family)
{
    const struct addr *public =
        family == ADDR_IP4 ? &server->config.public_ip4 : &server->config.public_ip6;
    return addr_with_port(*public, allocation->port);
}

const struct turn_manner *turn_allocation_manner(const struct turn_allocation *allocation)
{
    return turn_manner_of((enum turn_manner_kind)allocation->manner);
}

uint32_t turn_allocation_create(struct turn_server *server, const struct turn_tuple *tuple,
                                uint64_t user)
{
    struct turn_allocation_store *store = &server->allocations;
    struct pool_ref ref = {0};

    assert(turn_allocation_find(server, tuple) == POOL_NONE);
    if (!pool_take(&store->pool, &ref)) {
        return POOL_NONE;
    }
    *turn_allocation_at(server, ref.index) = (struct turn_allocation){
        .tuple = *tuple,
        .user = user,
        .holding = POOL_NONE,
        .state = TURN_ALLOCATION_OPENING,
        .first_permission = POOL_NONE,
        .first_channel = POOL_NONE,
    };
    table_add(&store->by_tuple, hash_of(server, tuple), ref.index);
    turn_limit_reset(server, ref.index);
    return ref.index;
}

void turn_allocation_opened(struct turn_server *server, uint32_t index, uint16_t port,
                            struct now now, uint32_t lifetime_s)
{
    struct turn_allocation *allocation = turn_allocation_at(server, index);

    assert(allocation->state == TURN_ALLOCATION_OPENING);
    assert(allocation->families != 0);
    assert(server->allocations.by_port[port] == 0);
    allocation->state = TURN_ALLOCATION_LIVE;
    allocation->port = port;
    allocation->granted = allocation->families;
    allocation->granted_s = lifetime_s;
    allocation->started_ns = now.mono_ns;
    server->allocations.by_port[port] = index + 1;
    turn_commons_relay(server->commons, port, server->config.shard_index, allocation->families);
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

void turn_allocation_close(struct turn_server *server, uint32_t index, uint8_t family,
                           uint16_t port)
{
    struct turn_allocation *allocation = turn_allocation_at(server, index);
    const struct turn_command command = {
        .type = TURN_COMMAND_CLOSE,
        .socket =
            {
                .allocation = pool_ref(&server->allocations.pool, index),
                .relayed =
                    addr_with_port(turn_allocation_relayed(server, allocation, family), port),
            },
    };

    assert(turn_allocation_has_family(allocation, family));
    allocation->families &= (uint8_t)~turn_allocation_family_bit(family);
    if (allocation->state == TURN_ALLOCATION_LIVE) {
        turn_commons_relay(server->commons, port, server->config.shard_index, allocation->families);
    }
    turn_path_touch_all(server, index);
    turn_outbox_add(&server->outbox, &command);
}

// The relayed address that a report names: an allocation's first.
static struct addr first_relayed(const struct turn_server *server,
                                 const struct turn_allocation *allocation)
{
    uint8_t family = turn_allocation_has_family(allocation, ADDR_IP4) ? ADDR_IP4 : ADDR_IP6;
    return turn_allocation_relayed(server, allocation, family);
}

static void take_down(struct turn_server *server, uint32_t index, enum turn_event event)
{
    struct turn_allocation *allocation = turn_allocation_at(server, index);
    const struct turn_command report = {
        .type = TURN_COMMAND_REPORT,
        .report =
            {
                .event = event,
                .tuple = allocation->tuple,
                .relayed = first_relayed(server, allocation),
                .life = turn_life_of(server, index),
            },
    };

    for (size_t i = 0; i < COUNT_OF(families); i++) {
        if (turn_allocation_has_family(allocation, families[i])) {
            turn_allocation_close(server, index, families[i], allocation->port);
        }
    }
    turn_outbox_add(&server->outbox, &report);
    server->stats.allocations_replaced += event == TURN_EVENT_REPLACED;
    server->allocations.by_port[allocation->port] = 0;
    assert(server->allocations.leaving_count < COUNT_OF(server->allocations.leaving));
    server->allocations.leaving[server->allocations.leaving_count++] = allocation->port;
}

void turn_allocation_delete(struct turn_server *server, uint32_t index, enum turn_event event)
{
    struct turn_allocation_store *store = &server->allocations;
    struct turn_allocation *allocation = turn_allocation_at(server, index);

    if (allocation->state == TURN_ALLOCATION_LIVE) {
        take_down(server, index, event);
    }
    // Channels first: each permission looks at those that are there.
    while (allocation->first_channel != POOL_NONE) {
        turn_channel_delete(server, allocation->first_channel);
    }
    while (allocation->first_permission != POOL_NONE) {
        turn_permission_delete(server, allocation->first_permission);
    }
    turn_expiry_clear(&server->expiry, TURN_EXPIRY_ALLOCATION, index);
    if (allocation->holding != POOL_NONE) {
        turn_commons_leave(server->commons, allocation->holding);
    }
    table_remove(&store->by_tuple, hash_of(server, &allocation->tuple), index);
    pool_give(&store->pool, index);
}

uint16_t turn_allocation_leaving_port(const struct turn_server *server)
{
    const struct turn_allocation_store *store = &server->allocations;

    return store->leaving_count > 0 ? store->leaving[store->leaving_count - 1] : 0;
}

void turn_allocation_keep_port(struct turn_server *server)
{
    assert(server->allocations.leaving_count > 0);
    server->allocations.leaving_count--;
}

void turn_allocation_free_ports(struct turn_server *server)
{
    struct turn_allocation_store *store = &server->allocations;

    while (store->leaving_count > 0) {
        turn_commons_give_port(server->commons, store->leaving[--store->leaving_count]);
    }
}
