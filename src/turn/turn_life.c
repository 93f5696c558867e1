// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_life.h"

#include <assert.h>

#include "turn/turn_server_priv.h"

struct turn_life turn_life_of(const struct turn_server *server, uint32_t index)
{
    static const uint8_t families[] = {ADDR_IP4, ADDR_IP6};
    const struct turn_allocation *allocation = turn_allocation_at(server, index);
    struct turn_life life = {
        .allocation = pool_ref(&server->allocations.pool, index),
        .tuple = allocation->tuple,
        .name = allocation->name,
        .started_ns = allocation->started_ns,
        .expires_ns = turn_expiry_at(&server->expiry, TURN_EXPIRY_ALLOCATION, index),
        .permission_count = allocation->permission_count,
        .channel_count = allocation->channel_count,
        .usage = allocation->usage,
    };

    assert(allocation->state == TURN_ALLOCATION_LIVE);
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        if ((allocation->granted & turn_allocation_family_bit(families[i])) != 0) {
            life.relayed[i] = turn_allocation_relayed(server, allocation, families[i]);
        }
    }
    return life;
}

bool turn_life_next(const struct turn_server *server, uint32_t bound, uint32_t *index,
                    struct turn_life *out)
{
    const struct pool *pool = &server->allocations.pool;

    for (; bound > 0 && *index < pool->touched; bound--) {
        const uint32_t at = (*index)++;
        if (pool_has(pool, at) && turn_allocation_at(server, at)->state == TURN_ALLOCATION_LIVE) {
            *out = turn_life_of(server, at);
            return true;
        }
    }
    *index = *index < pool->touched ? *index : POOL_NONE;
    return false;
}
