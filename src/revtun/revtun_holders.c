// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_holders.h"

#include <assert.h>
#include <string.h>

#include "base/layout.h"

// Pool items are multiples of 8 bytes.
enum { ITEM_SIZE = (sizeof(struct revtun_holder) + 7) / 8 * 8 };

// Where each part lies.
struct layout {
    size_t pool, table, end;
};

static struct layout layout_of(uint32_t capacity)
{
    struct layout layout = {0};

    layout.pool = layout_place(&layout.end, pool_size(capacity, ITEM_SIZE));
    layout.table = layout_place(&layout.end, table_size(capacity));
    return layout;
}

size_t revtun_holders_size(uint32_t capacity)
{
    return layout_of(capacity).end;
}

void revtun_holders_init(struct revtun_holders *holders, void *memory, uint32_t capacity,
                         struct siphash_key key)
{
    const struct layout layout = layout_of(capacity);
    uint8_t *bytes = memory;

    *holders = (struct revtun_holders){.key = key};
    pool_init(&holders->pool, bytes + layout.pool, capacity, ITEM_SIZE);
    table_init(&holders->by_owner, bytes + layout.table, capacity);
}

struct revtun_holder *revtun_holders_at(const struct revtun_holders *holders, uint32_t index)
{
    return pool_at(&holders->pool, index);
}

struct bytes revtun_holders_owner(const struct revtun_holders *holders, uint32_t index)
{
    const struct revtun_holder *holder = revtun_holders_at(holders, index);

    return (struct bytes){holder->owner, holder->owner_len};
}

static bool has_owner(const void *context, uint32_t index, const void *key)
{
    return bytes_equal(revtun_holders_owner(context, index), *(const struct bytes *)key);
}

uint32_t revtun_holders_find(const struct revtun_holders *holders, struct bytes owner)
{
    const uint32_t index =
        table_find(&holders->by_owner, siphash(&holders->key, owner), has_owner, holders, &owner);

    return index != TABLE_NONE ? index : POOL_NONE;
}

uint32_t revtun_holders_add(struct revtun_holders *holders, struct bytes owner)
{
    struct pool_ref ref = {.index = revtun_holders_find(holders, owner)};

    if (ref.index == POOL_NONE) {
        const bool has_room = pool_take(&holders->pool, &ref);
        assert(has_room);
        assert(owner.len > 0);
        assert(owner.len <= REVTUN_HOLDERS_OWNER_MAX);
        struct revtun_holder *holder = revtun_holders_at(holders, ref.index);
        holder->resting = (struct revtun_holders_line){UINT32_MAX, UINT32_MAX};
        holder->owner_len = (uint8_t)owner.len;
        memcpy(holder->owner, owner.ptr, owner.len);
        table_add(&holders->by_owner, siphash(&holders->key, owner), ref.index);
    }
    revtun_holders_at(holders, ref.index)->count++;
    return ref.index;
}

void revtun_holders_remove(struct revtun_holders *holders, uint32_t index)
{
    struct revtun_holder *holder = revtun_holders_at(holders, index);

    assert(holder->count > 0);
    if (--holder->count > 0) {
        return;
    }
    assert(holder->bound_count == 0);
    assert(holder->resting.oldest == UINT32_MAX);
    table_remove(&holders->by_owner, siphash(&holders->key, revtun_holders_owner(holders, index)),
                 index);
    pool_give(&holders->pool, index);
}
