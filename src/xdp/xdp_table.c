// SPDX-License-Identifier: Apache-2.0
#include "xdp/xdp_table.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int xdp_table_open(const struct xdp_program *program, uint32_t slot_max, struct xdp_table *out)
{
    struct xdp_table table = {.program = program, .slot_max = slot_max};

    assert(program->skeleton != NULL);
    assert(slot_max >= 1);
    table.slots = calloc(slot_max, sizeof(*table.slots));
    if (table.slots == NULL) {
        return -ENOMEM;
    }
    int error =
        xdp_paths_open(program->paths_fd, RELAY_ABI_PATHS_PER_CHANNEL * program->channel_max,
                       &program->settings, &table.paths);
    if (error == 0) {
        error = xdp_hop_open(program, &table.hops);
    }
    if (error != 0) {
        xdp_paths_close(&table.paths);
        free(table.slots);
        return error;
    }
    *out = table;
    return 0;
}

void xdp_table_close(struct xdp_table *table)
{
    xdp_hop_close(&table->hops);
    xdp_paths_close(&table->paths);
    free(table->slots);
    table->slots = NULL;
}

static void port_write(uint8_t out[2], uint16_t port)
{
    out[0] = (uint8_t)(port >> 8);
    out[1] = (uint8_t)port;
}

static uint16_t port_read(const uint8_t port[2])
{
    return (uint16_t)(port[0] << 8 | port[1]);
}

static struct relay_abi_key key_of(const struct addr *remote, uint8_t own, uint16_t local,
                                   enum relay_abi_from from)
{
    struct relay_abi_key key = {.own = own, .from = (uint8_t)from, .is_key = 1};

    memcpy(key.remote_ip, remote->ip, sizeof key.remote_ip);
    port_write(key.remote_port, remote->port);
    port_write(key.local, local);
    return key;
}

// The keys of both paths. False when the program does not know one of the own addresses.
static bool keys_of(const struct xdp_program *program, const struct xdp_binding *binding,
                    struct relay_abi_key keys[2])
{
    const uint8_t server = xdp_program_own(program, &binding->server);
    const uint8_t relayed = xdp_program_own(program, &binding->relayed);

    if (server == XDP_PROGRAM_OWN_NONE || relayed == XDP_PROGRAM_OWN_NONE ||
        binding->server.port != program->settings.listen_port) {
        return false;
    }
    keys[RELAY_ABI_FROM_CLIENT] =
        key_of(&binding->client, server, binding->channel, RELAY_ABI_FROM_CLIENT);
    keys[RELAY_ABI_FROM_PEER] =
        key_of(&binding->peer, relayed, binding->relayed.port, RELAY_ABI_FROM_PEER);
    return true;
}

// The key of the other direction's path: whom this direction's path leads to.
static const struct relay_abi_key *ahead(const struct xdp_table_slot *slot,
                                         enum relay_abi_from from)
{
    return &slot->keys[from == RELAY_ABI_FROM_CLIENT ? RELAY_ABI_FROM_PEER : RELAY_ABI_FROM_CLIENT];
}

// The port that this direction's path leaves from.
static uint16_t local_port(const struct xdp_table *table, const struct xdp_table_slot *slot,
                           enum relay_abi_from from)
{
    return from == RELAY_ABI_FROM_CLIENT ? port_read(ahead(slot, from)->local)
                                         : table->program->settings.listen_port;
}

static struct relay_abi_path path_of(const struct xdp_table *table,
                                     const struct xdp_table_slot *slot, enum relay_abi_from from)
{
    const struct relay_abi_key *to = ahead(slot, from);
    struct relay_abi_path path = {
        .own = to->own,
        .is_turned = slot->is_turned,
        .hop = slot->hops[from],
    };

    memcpy(path.remote_ip, to->remote_ip, sizeof path.remote_ip);
    memcpy(path.remote_port, to->remote_port, sizeof path.remote_port);
    port_write(path.local_port, local_port(table, slot, from));
    if (from == RELAY_ABI_FROM_PEER) {
        memcpy(path.channel, to->local, sizeof path.channel);
    }
    return path;
}

// Takes the hop of one direction's path. A turned packet leaves by the other client's.
static int take_hop(struct xdp_table *table, const struct xdp_table_slot *slot,
                    enum relay_abi_from from, uint32_t *out)
{
    const struct relay_abi_key *to = ahead(slot, from);
    const struct relay_abi_own *own = &table->program->settings.own[to->own];
    struct addr remote = {.family = own->family, .port = port_read(to->remote_port)};
    struct addr local = {.family = own->family, .port = local_port(table, slot, from)};

    if (from == RELAY_ABI_FROM_CLIENT && slot->is_turned) {
        *out = RELAY_ABI_HOP_NONE;
        return 0;
    }
    memcpy(remote.ip, to->remote_ip, sizeof remote.ip);
    memcpy(local.ip, own->ip, sizeof local.ip);
    return xdp_hop_take(&table->hops, &remote, &local, out);
}

static int add_path(struct xdp_table *table, const struct xdp_table_slot *slot,
                    enum relay_abi_from from)
{
    const struct relay_abi_path path = path_of(table, slot, from);

    return xdp_paths_add(&table->paths, &slot->keys[from], &path);
}

static void give_hops(struct xdp_table *table, const struct xdp_table_slot *slot)
{
    xdp_hop_give(&table->hops, slot->hops[RELAY_ABI_FROM_CLIENT]);
    xdp_hop_give(&table->hops, slot->hops[RELAY_ABI_FROM_PEER]);
}

// Adds both paths, or none.
static int add_paths(struct xdp_table *table, const struct xdp_table_slot *slot)
{
    int error = add_path(table, slot, RELAY_ABI_FROM_CLIENT);

    if (error != 0) {
        return error;
    }
    error = add_path(table, slot, RELAY_ABI_FROM_PEER);
    if (error != 0) {
        xdp_paths_remove(&table->paths, &slot->keys[RELAY_ABI_FROM_CLIENT]);
    }
    return error;
}

int xdp_table_bind(struct xdp_table *table, uint32_t slot, const struct xdp_binding *binding)
{
    struct xdp_table_slot next = {.is_bound = true, .is_turned = binding->is_turned};

    assert(slot < table->slot_max);
    assert(binding->client.family == binding->server.family);
    assert(binding->peer.family == binding->relayed.family);
    xdp_table_unbind(table, slot);
    if (!keys_of(table->program, binding, next.keys)) {
        return 0;
    }
    int error = take_hop(table, &next, RELAY_ABI_FROM_CLIENT, &next.hops[RELAY_ABI_FROM_CLIENT]);
    if (error == 0) {
        error = take_hop(table, &next, RELAY_ABI_FROM_PEER, &next.hops[RELAY_ABI_FROM_PEER]);
    }
    if (error == 0) {
        error = add_paths(table, &next);
    }
    if (error != 0) {
        give_hops(table, &next);
        return error;
    }
    table->slots[slot] = next;
    table->bound_count++;
    table->touched = slot < table->touched ? table->touched : slot + 1;
    return 0;
}

void xdp_table_unbind(struct xdp_table *table, uint32_t slot)
{
    struct xdp_table_slot *bound = &table->slots[slot];

    assert(slot < table->slot_max);
    if (!bound->is_bound) {
        return;
    }
    xdp_paths_remove(&table->paths, &bound->keys[RELAY_ABI_FROM_CLIENT]);
    xdp_paths_remove(&table->paths, &bound->keys[RELAY_ABI_FROM_PEER]);
    give_hops(table, bound);
    *bound = (struct xdp_table_slot){.is_bound = false};
    assert(table->bound_count > 0);
    table->bound_count--;
}

bool xdp_table_is_bound(const struct xdp_table *table, uint32_t slot)
{
    assert(slot < table->slot_max);
    return table->slots[slot].is_bound;
}

int xdp_table_fd(const struct xdp_table *table)
{
    return xdp_hop_fd(&table->hops);
}

// Makes at least this many slots be looked at again.
static void fall_behind(struct xdp_table *table, uint32_t count)
{
    count = count < table->touched ? count : table->touched;
    table->behind = count > table->behind ? count : table->behind;
}

int xdp_table_read(struct xdp_table *table)
{
    bool has_new_ways = false;
    const int error = xdp_hop_read(&table->hops, &has_new_ways);

    if (has_new_ways) {
        fall_behind(table, table->touched);
    }
    return error;
}

uint64_t xdp_table_deadline(const struct xdp_table *table)
{
    if (xdp_hop_is_behind(&table->hops) || table->behind > 0) {
        return table->pause_ns;
    }
    return table->bound_count > 0 ? table->renew_ns : NEVER;
}

// Leads the slot's paths over the hops that are right now.
static int look_again(struct xdp_table *table, struct xdp_table_slot *slot)
{
    int first_error = 0;

    for (enum relay_abi_from from = RELAY_ABI_FROM_CLIENT; from <= RELAY_ABI_FROM_PEER; from++) {
        uint32_t hop = RELAY_ABI_HOP_NONE;
        const int error = take_hop(table, slot, from, &hop);
        const uint32_t old = slot->hops[from];

        if (error == 0 && hop != old) {
            slot->hops[from] = hop;
            const struct relay_abi_path path = path_of(table, slot, from);
            xdp_paths_replace(&table->paths, &slot->keys[from], &path);
            xdp_hop_give(&table->hops, old);
        } else if (error == 0) {
            xdp_hop_give(&table->hops, hop); // it is held already
        }
        first_error = first_error != 0 ? first_error : error;
    }
    return first_error;
}

int xdp_table_tick(struct xdp_table *table, uint64_t now_ns)
{
    uint32_t bound = 0;
    bool has_new_ways = false;

    if (now_ns < xdp_table_deadline(table)) {
        return 0;
    }
    table->pause_ns = now_ns + XDP_TABLE_PAUSE_NS;
    int first_error = xdp_hop_tick(&table->hops, &has_new_ways);
    if (has_new_ways) {
        fall_behind(table, table->touched);
    }
    if (now_ns >= table->renew_ns) {
        fall_behind(table, XDP_TABLE_TICK_BOUND);
        table->renew_ns = now_ns + XDP_TABLE_RENEW_NS;
    }
    // News make it go round once more, but never begin again: all have their turn.
    for (uint32_t i = 0; i < XDP_TABLE_TICK_MAX && table->behind > 0; i++) {
        table->cursor = table->cursor + 1 < table->touched ? table->cursor + 1 : 0;
        table->behind--;
        if (!table->slots[table->cursor].is_bound) {
            continue;
        }
        const int error = look_again(table, &table->slots[table->cursor]);
        first_error = first_error != 0 ? first_error : error;
        if (++bound == XDP_TABLE_TICK_BOUND) {
            break;
        }
    }
    return first_error;
}
