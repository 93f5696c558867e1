// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <assert.h>
#include <string.h>

size_t pool_size(uint32_t capacity, size_t item_size)
{
    return (size_t)capacity * (item_size + sizeof(struct pool_slot));
}

void pool_init(struct pool *pool, void *memory, uint32_t capacity, size_t item_size)
{
    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    assert(item_size % sizeof(uint64_t) == 0);
    assert(capacity < POOL_NONE);
    *pool = (struct pool){
        .items = memory,
        .slots = (void *)((uint8_t *)memory + (size_t)capacity * item_size),
        .item_size = item_size,
        .capacity = capacity,
        .first_free = POOL_NONE,
    };
}

static uint8_t *item(const struct pool *pool, uint32_t index)
{
    return pool->items + (size_t)index * pool->item_size;
}

bool pool_has(const struct pool *pool, uint32_t index)
{
    return index < pool->touched && pool->slots[index].generation % 2 == 1;
}

uint32_t pool_next(const struct pool *pool)
{
    if (pool->first_free != POOL_NONE) {
        return pool->first_free;
    }
    return pool->touched < pool->capacity ? pool->touched : POOL_NONE;
}

bool pool_take(struct pool *pool, struct pool_ref *out)
{
    uint32_t index = pool_next(pool);

    if (index == POOL_NONE) {
        return false;
    }
    if (pool->first_free != POOL_NONE) {
        pool->first_free = pool->slots[index].next_free;
    } else {
        pool->touched++;
    }
    pool->slots[index].generation++;
    pool->used++;
    memset(item(pool, index), 0, pool->item_size);
    assert(pool_has(pool, index));
    *out = (struct pool_ref){index, pool->slots[index].generation};
    return true;
}

void pool_give(struct pool *pool, uint32_t index)
{
    assert(pool_has(pool, index));
    assert(pool->used > 0);
    pool->slots[index].generation++;
    pool->slots[index].next_free = pool->first_free;
    pool->first_free = index;
    pool->used--;
}

void *pool_at(const struct pool *pool, uint32_t index)
{
    assert(pool_has(pool, index));
    return item(pool, index);
}

void *pool_find(const struct pool *pool, struct pool_ref ref)
{
    if (!pool_has(pool, ref.index) || pool->slots[ref.index].generation != ref.generation) {
        return NULL;
    }
    return item(pool, ref.index);
}

struct pool_ref pool_ref(const struct pool *pool, uint32_t index)
{
    assert(pool_has(pool, index));
    return (struct pool_ref){index, pool->slots[index].generation};
}

bool pool_is_full(const struct pool *pool)
{
    return pool->used == pool->capacity;
}
