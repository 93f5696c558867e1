// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_sources.h"

#include <assert.h>

#include "revtun/revtun_origin.h"

_Static_assert(sizeof(struct revtun_source) % 8 == 0, "as a pool wants its items");

size_t revtun_sources_size(uint32_t capacity)
{
    return table_size(capacity) + pool_size(capacity, sizeof(struct revtun_source));
}

void revtun_sources_init(struct revtun_sources *sources, void *memory, uint32_t capacity,
                         struct siphash_key key)
{
    uint8_t *at = memory;

    sources->key = key;
    table_init(&sources->by_origin, at, capacity);
    at += table_size(capacity);
    pool_init(&sources->pool, at, capacity, sizeof(struct revtun_source));
}

static struct revtun_source *source_at(const struct revtun_sources *sources, uint32_t index)
{
    return pool_at(&sources->pool, index);
}

static uint64_t hash_of(const struct revtun_sources *sources, const struct addr *origin)
{
    return siphash(&sources->key, (struct bytes){(const uint8_t *)origin, sizeof *origin});
}

static bool has_origin(const void *context, uint32_t index, const void *key)
{
    return addr_equal(&source_at(context, index)->origin, key);
}

static uint32_t find(const struct revtun_sources *sources, const struct addr *origin)
{
    return table_find(&sources->by_origin, hash_of(sources, origin), has_origin, sources, origin);
}

uint32_t revtun_sources_count(const struct revtun_sources *sources, const struct addr *from)
{
    const struct addr origin = revtun_origin_of(from);
    const uint32_t index = find(sources, &origin);

    return index != TABLE_NONE ? source_at(sources, index)->count : 0;
}

uint32_t revtun_sources_enter(struct revtun_sources *sources, const struct addr *from)
{
    const struct addr origin = revtun_origin_of(from);
    uint32_t index = find(sources, &origin);

    if (index == TABLE_NONE) {
        struct pool_ref ref = {0};
        const bool is_taken = pool_take(&sources->pool, &ref);
        assert(is_taken); // there are as many of these as of connections
        index = ref.index;
        source_at(sources, index)->origin = origin;
        table_add(&sources->by_origin, hash_of(sources, &origin), index);
    }
    source_at(sources, index)->count++;
    return index;
}

void revtun_sources_leave(struct revtun_sources *sources, uint32_t source)
{
    struct revtun_source *left = source_at(sources, source);

    assert(left->count > 0);
    if (--left->count == 0) {
        table_remove(&sources->by_origin, hash_of(sources, &left->origin), source);
        pool_give(&sources->pool, source);
    }
}
