// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hosts.h"

#include <assert.h>
#include <string.h>

#include "base/chain.h"
#include "base/layout.h"
#include "revtun/revtun_pattern.h"

enum { PATTERN_MAX = REVTUN_HOST_MAX + 2 }; // bytes: "*." and a host

struct item {
    struct chain_link link; // among those of its tunnel
    uint32_t tunnel;
    uint8_t pattern_len; // bytes
    uint8_t pattern[PATTERN_MAX];
};
// Pool items are multiples of 8 bytes.
enum { ITEM_SIZE = (sizeof(struct item) + 7) / 8 * 8 };

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

size_t revtun_hosts_size(uint32_t capacity)
{
    return layout_of(capacity).end;
}

void revtun_hosts_init(struct revtun_hosts *hosts, void *memory, uint32_t capacity,
                       struct siphash_key key)
{
    const struct layout layout = layout_of(capacity);
    uint8_t *bytes = memory;

    *hosts = (struct revtun_hosts){.key = key};
    pool_init(&hosts->pool, bytes + layout.pool, capacity, ITEM_SIZE);
    table_init(&hosts->by_pattern, bytes + layout.table, capacity);
}

static struct bytes pattern_of(const struct item *item)
{
    return (struct bytes){item->pattern, item->pattern_len};
}

static bool has_pattern(const void *context, uint32_t index, const void *key)
{
    const struct revtun_hosts *hosts = context;
    const struct item *item = pool_at(&hosts->pool, index);

    return bytes_equal(pattern_of(item), *(const struct bytes *)key);
}

// The item of a pattern, or NULL.
static const struct item *item_of(const struct revtun_hosts *hosts, struct bytes pattern)
{
    const uint32_t index =
        table_find(&hosts->by_pattern, siphash(&hosts->key, pattern), has_pattern, hosts, &pattern);

    return index != TABLE_NONE ? pool_at(&hosts->pool, index) : NULL;
}

static void add(struct revtun_hosts *hosts, struct bytes pattern, struct revtun_hosts_list *list)
{
    struct pool_ref ref = {0};
    const bool is_taken = pool_take(&hosts->pool, &ref);

    assert(is_taken);
    assert(pattern.len <= PATTERN_MAX);
    struct item *item = pool_at(&hosts->pool, ref.index);
    item->tunnel = list->tunnel;
    item->pattern_len = (uint8_t)pattern.len;
    memcpy(item->pattern, pattern.ptr, pattern.len);
    table_add(&hosts->by_pattern, siphash(&hosts->key, pattern), ref.index);
    chain_add(&hosts->pool, &list->first, ref.index);
    list->count++;
}

// Takes away what a list has in front of one of its items, or all of it.
static void remove_until(struct revtun_hosts *hosts, struct revtun_hosts_list *list, uint32_t last)
{
    while (list->first != last) {
        const uint32_t index = list->first;
        const struct item *item = pool_at(&hosts->pool, index);
        table_remove(&hosts->by_pattern, siphash(&hosts->key, pattern_of(item)), index);
        chain_remove(&hosts->pool, &list->first, index);
        pool_give(&hosts->pool, index);
        list->count--;
    }
}

enum revtun_hosts_outcome revtun_hosts_bind(struct revtun_hosts *hosts, struct bytes patterns,
                                            struct revtun_hosts_list *list, struct bytes *last)
{
    const uint32_t before = list->first;
    enum revtun_hosts_outcome outcome = REVTUN_HOSTS_OK;
    struct bytes pattern = {0};

    assert(list->tunnel != REVTUN_HOSTS_NONE);
    assert(revtun_pattern_is_list(patterns, revtun_pattern_is_of_hosts));
    while (outcome == REVTUN_HOSTS_OK && revtun_pattern_take(&patterns, &pattern)) {
        const struct item *item = item_of(hosts, pattern);
        if (item == NULL && list->count >= list->max) {
            outcome = REVTUN_HOSTS_MANY;
        } else if (item == NULL && pool_is_full(&hosts->pool)) {
            outcome = REVTUN_HOSTS_FULL;
        } else if (item == NULL) {
            add(hosts, pattern, list);
        } else if (item->tunnel != list->tunnel) {
            outcome = REVTUN_HOSTS_TAKEN;
        }
    }
    if (outcome != REVTUN_HOSTS_OK) {
        *last = pattern;
        remove_until(hosts, list, before);
    }
    return outcome;
}

void revtun_hosts_release(struct revtun_hosts *hosts, struct revtun_hosts_list *list)
{
    remove_until(hosts, list, POOL_NONE);
}

bool revtun_hosts_next(const struct revtun_hosts *hosts, uint32_t *cursor, struct bytes *pattern)
{
    if (*cursor == POOL_NONE) {
        return false;
    }
    const struct item *item = pool_at(&hosts->pool, *cursor);

    *pattern = pattern_of(item);
    *cursor = item->link.next;
    return true;
}

// The pattern of all below a parent.
static const struct item *item_below(const struct revtun_hosts *hosts, struct bytes parent)
{
    uint8_t text[PATTERN_MAX];
    struct wr wr = wr_init(text, sizeof text);

    wr_text(&wr, "*.");
    wr_bytes(&wr, parent);
    return wr_ok(&wr) ? item_of(hosts, wr_done(&wr)) : NULL;
}

uint32_t revtun_hosts_find(const struct revtun_hosts *hosts, struct bytes host)
{
    static const struct bytes all = BYTES_LITERAL("*");
    struct bytes parent = host;
    const struct item *item = revtun_pattern_is_host(host) ? item_of(hosts, host) : NULL;

    // A label fewer each time.
    while (item == NULL && parent.len > 0) {
        parent = bytes_from(parent, bytes_index(parent, '.') + 1);
        item = parent.len > 0 ? item_below(hosts, parent) : NULL;
    }
    if (item == NULL && host.len > 0) {
        item = item_of(hosts, all);
    }
    return item != NULL ? item->tunnel : REVTUN_HOSTS_NONE;
}

uint32_t revtun_hosts_count(const struct revtun_hosts *hosts)
{
    return hosts->pool.used;
}
