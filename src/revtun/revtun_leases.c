// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_leases.h"

#include <assert.h>
#include <string.h>

#include "base/layout.h"

// Where each part lies.
struct layout {
    size_t table, holders, vacant, ends, leases, size;
};

static struct layout layout_of(uint16_t port_count)
{
    struct layout layout = {0};

    layout.table = layout_place(&layout.size, table_size(port_count));
    layout.holders = layout_place(&layout.size, revtun_holders_size(port_count));
    layout.vacant = layout_place(&layout.size, revtun_vacant_size(port_count));
    layout.ends = layout_place(&layout.size, heap_size(port_count));
    layout.leases = layout_place(&layout.size, port_count * sizeof(struct revtun_lease));
    return layout;
}

size_t revtun_leases_size(uint16_t port_count)
{
    assert(port_count > 0);
    return layout_of(port_count).size;
}

void revtun_leases_init(struct revtun_leases *leases, void *memory,
                        const struct revtun_leases_config *config)
{
    uint8_t *bytes = memory;

    assert(config->first_port > 0);
    assert(config->port_count > 0);
    assert(config->port_count <= UINT16_MAX - config->first_port + 1);
    *leases = (struct revtun_leases){
        .config = *config,
        .resting = {REVTUN_LEASES_NONE, REVTUN_LEASES_NONE},
    };
    const struct layout layout = layout_of(config->port_count);
    table_init(&leases->by_name, bytes + layout.table, config->port_count);
    revtun_holders_init(&leases->holders, bytes + layout.holders, config->port_count, config->key);
    revtun_vacant_init(&leases->vacant, bytes + layout.vacant, config->port_count);
    heap_init(&leases->ends, bytes + layout.ends, config->port_count);
    leases->at = (struct revtun_lease *)(void *)(bytes + layout.leases);
    for (uint32_t i = 0; i < config->port_count; i++) {
        leases->at[i].left = ++leases->left_count;
        revtun_vacant_add(&leases->vacant, i, leases->at[i].left);
    }
}

// --- lines of ports that rest -------------------------------------------------------------------

static struct revtun_holders_line *line_of(struct revtun_leases *leases,
                                           enum revtun_leases_line which, uint32_t index)
{
    return which == REVTUN_LEASES_LINE_ALL
               ? &leases->resting
               : &revtun_holders_at(&leases->holders, leases->at[index].holder)->resting;
}

static void line_add(struct revtun_leases *leases, enum revtun_leases_line which, uint32_t index)
{
    struct revtun_holders_line *line = line_of(leases, which, index);

    leases->at[index].lines[which].older = line->newest;
    leases->at[index].lines[which].newer = REVTUN_LEASES_NONE;
    if (line->newest != REVTUN_LEASES_NONE) {
        leases->at[line->newest].lines[which].newer = index;
    } else {
        line->oldest = index;
    }
    line->newest = index;
}

static void line_remove(struct revtun_leases *leases, enum revtun_leases_line which, uint32_t index)
{
    struct revtun_holders_line *line = line_of(leases, which, index);
    const uint32_t older = leases->at[index].lines[which].older;
    const uint32_t newer = leases->at[index].lines[which].newer;

    if (older != REVTUN_LEASES_NONE) {
        leases->at[older].lines[which].newer = newer;
    } else {
        line->oldest = newer;
    }
    if (newer != REVTUN_LEASES_NONE) {
        leases->at[newer].lines[which].older = older;
    } else {
        line->newest = older;
    }
}

// --- looking up ---------------------------------------------------------------------------------

struct bytes revtun_leases_owner(const struct revtun_leases *leases, uint32_t index)
{
    return revtun_holders_owner(&leases->holders, leases->at[index].holder);
}

struct bytes revtun_leases_name(const struct revtun_leases *leases, uint32_t index)
{
    return (struct bytes){leases->at[index].name, leases->at[index].name_len};
}

static uint64_t hash_of(const struct revtun_leases *leases,
                        const struct revtun_leases_tunnel *tunnel)
{
    uint8_t text[REVTUN_HOLDERS_OWNER_MAX + 1 + REVTUN_NAME_MAX];
    struct wr wr = wr_init(text, sizeof text);

    wr_bytes(&wr, tunnel->owner);
    wr_text(&wr, " "); // neither has one
    wr_bytes(&wr, tunnel->name);
    assert(wr_ok(&wr));
    return siphash(&leases->config.key, wr_done(&wr));
}

static bool is_of_tunnel(const void *context, uint32_t index, const void *key)
{
    const struct revtun_leases *leases = context;
    const struct revtun_leases_tunnel *tunnel = key;

    return bytes_equal(revtun_leases_owner(leases, index), tunnel->owner) &&
           bytes_equal(revtun_leases_name(leases, index), tunnel->name);
}

uint32_t revtun_leases_find(const struct revtun_leases *leases,
                            const struct revtun_leases_tunnel *tunnel)
{
    return table_find(&leases->by_name, hash_of(leases, tunnel), is_of_tunnel, leases, tunnel);
}

bool revtun_leases_is_tunnel(const struct revtun_leases_tunnel *tunnel)
{
    for (size_t i = 0; i < tunnel->owner.len; i++) {
        if (tunnel->owner.ptr[i] <= ' ' || tunnel->owner.ptr[i] > 0x7e) {
            return false;
        }
    }
    return tunnel->owner.len > 0 && tunnel->owner.len <= REVTUN_HOLDERS_OWNER_MAX &&
           revtun_pattern_is_name(tunnel->name);
}

uint16_t revtun_leases_port(const struct revtun_leases *leases, uint32_t index)
{
    return (uint16_t)(leases->config.first_port + index);
}

uint32_t revtun_leases_index(const struct revtun_leases *leases, uint64_t port)
{
    const uint64_t first = leases->config.first_port;

    return port >= first && port < first + leases->config.port_count ? (uint32_t)(port - first)
                                                                     : REVTUN_LEASES_NONE;
}

// --- changes ------------------------------------------------------------------------------------

// When the lease of a port that rests is over, as a deadline in Unix time.
static uint64_t end_of(const struct revtun_leases *leases, const struct revtun_lease *lease)
{
    const uint64_t from_s = lease->released_s > 0 ? (uint64_t)lease->released_s : 0;

    return from_s + leases->config.lease_s;
}

bool revtun_leases_is_over(const struct revtun_leases *leases, const struct revtun_lease *lease,
                           int64_t wall_s)
{
    return wall_s >= 0 && (uint64_t)wall_s >= end_of(leases, lease);
}

void revtun_leases_settle(struct revtun_leases *leases, int64_t wall_s)
{
    uint32_t index = REVTUN_LEASES_NONE;

    // Only a clock that was set back takes so long.
    for (uint32_t i = wall_s < leases->settled_s ? leases->resting.oldest : REVTUN_LEASES_NONE;
         i != REVTUN_LEASES_NONE; i = leases->at[i].lines[REVTUN_LEASES_LINE_ALL].newer) {
        struct revtun_lease *lease = &leases->at[i];
        if (lease->is_over && !revtun_leases_is_over(leases, lease, wall_s)) {
            lease->is_over = false;
            revtun_vacant_remove(&leases->vacant, i);
            heap_set(&leases->ends, i, end_of(leases, lease));
        }
    }
    while (wall_s >= 0 && heap_take(&leases->ends, (uint64_t)wall_s, &index)) {
        leases->at[index].is_over = true;
        revtun_vacant_add(&leases->vacant, index, leases->at[index].left);
    }
    leases->settled_s = wall_s;
}

void revtun_leases_wake(struct revtun_leases *leases, uint32_t index)
{
    struct revtun_lease *lease = &leases->at[index];

    assert(lease->state == REVTUN_LEASES_RESTING);
    line_remove(leases, REVTUN_LEASES_LINE_ALL, index);
    line_remove(leases, REVTUN_LEASES_LINE_HOLDER, index);
    heap_clear(&leases->ends, index);
    revtun_vacant_remove(&leases->vacant, index);
    lease->is_over = false;
    lease->state = REVTUN_LEASES_BOUND;
    revtun_holders_at(&leases->holders, lease->holder)->bound_count++;
    leases->change_count++;
}

void revtun_leases_rest(struct revtun_leases *leases, uint32_t index, int64_t since_s)
{
    struct revtun_lease *lease = &leases->at[index];

    assert(lease->state == REVTUN_LEASES_BOUND);
    lease->state = REVTUN_LEASES_RESTING;
    lease->released_s = since_s;
    lease->left = ++leases->left_count;
    revtun_holders_at(&leases->holders, lease->holder)->bound_count--;
    line_add(leases, REVTUN_LEASES_LINE_ALL, index);
    line_add(leases, REVTUN_LEASES_LINE_HOLDER, index);
    heap_set(&leases->ends, index, end_of(leases, lease));
    leases->change_count++;
}

// When it was left stays.
void revtun_leases_forget(struct revtun_leases *leases, uint32_t index)
{
    struct revtun_lease *lease = &leases->at[index];
    const struct revtun_leases_tunnel tunnel = {revtun_leases_owner(leases, index),
                                                revtun_leases_name(leases, index)};

    table_remove(&leases->by_name, hash_of(leases, &tunnel), index);
    revtun_leases_wake(leases, index);
    lease->state = REVTUN_LEASES_FREE;
    revtun_holders_at(&leases->holders, lease->holder)->bound_count--;
    revtun_holders_remove(&leases->holders, lease->holder);
    revtun_vacant_add(&leases->vacant, index, lease->left);
    leases->count--;
}

void revtun_leases_give(struct revtun_leases *leases, uint32_t index,
                        const struct revtun_leases_tunnel *tunnel)
{
    struct revtun_lease *lease = &leases->at[index];

    assert(lease->state == REVTUN_LEASES_FREE);
    revtun_vacant_remove(&leases->vacant, index);
    lease->state = REVTUN_LEASES_BOUND;
    lease->holder = revtun_holders_add(&leases->holders, tunnel->owner);
    revtun_holders_at(&leases->holders, lease->holder)->bound_count++;
    lease->name_len = (uint8_t)tunnel->name.len;
    memcpy(lease->name, tunnel->name.ptr, tunnel->name.len);
    table_add(&leases->by_name, hash_of(leases, tunnel), index);
    leases->count++;
    leases->change_count++;
}
