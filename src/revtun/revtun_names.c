// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_names.h"

#include <assert.h>
#include <string.h>

#include "base/layout.h"
#include "revtun/revtun_leases.h"

struct revtun_names {
    struct revtun_leases leases;
};

// Where each part lies.
struct layout {
    size_t leases, size;
};

static struct layout layout_of(uint16_t port_count)
{
    struct layout layout = {0};

    (void)layout_place(&layout.size, sizeof(struct revtun_names));
    layout.leases = layout_place(&layout.size, revtun_leases_size(port_count));
    return layout;
}

size_t revtun_names_size(uint16_t port_count)
{
    return layout_of(port_count).size;
}

struct revtun_names *revtun_names_init(void *memory, const struct revtun_names_config *config)
{
    const struct layout layout = layout_of(config->port_count);
    const struct revtun_leases_config leases = {
        .first_port = config->first_port,
        .port_count = config->port_count,
        .lease_s = config->lease_s,
        .key = config->key,
    };
    struct revtun_names *names = memory;
    uint8_t *bytes = memory;

    revtun_leases_init(&names->leases, bytes + layout.leases, &leases);
    return names;
}

// --- binding ------------------------------------------------------------------------------------

// The vacant port, of those that an owner may have, that was left the longest ago; or NONE.
static uint32_t oldest_of(const struct revtun_leases *leases, struct bytes ports)
{
    const uint64_t first = leases->config.first_port;
    const uint64_t last = first + leases->config.port_count - 1;
    uint64_t from = 0;
    uint64_t to = 0;
    uint32_t found = REVTUN_LEASES_NONE;

    while (revtun_pattern_take_ports(&ports, &from, &to)) {
        from = from < first ? first : from;
        to = to > last ? last : to;
        if (from <= to) {
            found =
                revtun_vacant_older(&leases->vacant, found,
                                    revtun_vacant_find(&leases->vacant, (uint32_t)(from - first),
                                                       (uint32_t)(to - first)));
        }
    }
    return found;
}

// The port for a tunnel that has none: the wanted one, or the vacant one left the longest ago.
static enum revtun_names_outcome choose(const struct revtun_names *names,
                                        const struct revtun_names_wish *wish, uint32_t *out)
{
    if (wish->port == 0) {
        *out = oldest_of(&names->leases, wish->ports);
        return *out != REVTUN_LEASES_NONE ? REVTUN_NAMES_OK : REVTUN_NAMES_NO_PORT;
    }
    const uint32_t index = revtun_leases_index(&names->leases, wish->port);
    if (index == REVTUN_LEASES_NONE || !revtun_pattern_list_has_port(wish->ports, wish->port)) {
        return REVTUN_NAMES_DENIED;
    }
    const struct revtun_lease *lease = &names->leases.at[index];
    const bool is_own_rest = lease->state == REVTUN_LEASES_RESTING &&
                             bytes_equal(revtun_leases_owner(&names->leases, index), wish->owner);
    if (!is_own_rest && lease->state != REVTUN_LEASES_FREE && !lease->is_over) {
        return REVTUN_NAMES_PORT_TAKEN;
    }
    *out = index;
    return REVTUN_NAMES_OK;
}

// What an owner holds besides one port, which is not bound.
struct holding {
    uint32_t count;
    uint32_t bound_count;
    uint32_t oldest;   // of those that rest, or NONE
    uint32_t eligible; // likewise, of those that it may have now
};

static struct holding holding_of(const struct revtun_names *names,
                                 const struct revtun_names_wish *wish, uint32_t besides)
{
    const uint32_t at = revtun_holders_find(&names->leases.holders, wish->owner);
    struct holding holding = {.oldest = REVTUN_LEASES_NONE, .eligible = REVTUN_LEASES_NONE};

    if (at == POOL_NONE) {
        return holding;
    }
    const struct revtun_holder *holder = revtun_holders_at(&names->leases.holders, at);
    const bool is_own = besides != REVTUN_LEASES_NONE &&
                        names->leases.at[besides].state != REVTUN_LEASES_FREE &&
                        names->leases.at[besides].holder == at;
    holding.count = holder->count - is_own;
    holding.bound_count = holder->bound_count;
    for (uint32_t i = holder->resting.oldest;
         i != REVTUN_LEASES_NONE && holding.eligible == REVTUN_LEASES_NONE;
         i = names->leases.at[i].lines[REVTUN_LEASES_LINE_HOLDER].newer) {
        if (i != besides) {
            holding.oldest = holding.oldest == REVTUN_LEASES_NONE ? i : holding.oldest;
            holding.eligible =
                revtun_pattern_list_has_port(wish->ports, revtun_leases_port(&names->leases, i))
                    ? i
                    : REVTUN_LEASES_NONE;
        }
    }
    return holding;
}

// Has its owner hold one port fewer than it may, besides the one at *index; if that is NONE, one
// that gives way becomes it. Nothing gives way if that does not help.
static enum revtun_names_outcome make_room(struct revtun_names *names,
                                           const struct revtun_names_wish *wish, uint32_t *index)
{
    struct holding holding = holding_of(names, wish, *index);

    if (holding.count < wish->owner_max) {
        return *index != REVTUN_LEASES_NONE ? REVTUN_NAMES_OK : REVTUN_NAMES_NO_PORT;
    }
    if (holding.bound_count >= wish->owner_max) {
        return REVTUN_NAMES_QUOTA;
    }
    if (*index == REVTUN_LEASES_NONE && holding.eligible == REVTUN_LEASES_NONE) {
        return REVTUN_NAMES_NO_PORT;
    }
    *index = *index != REVTUN_LEASES_NONE ? *index : holding.eligible;
    holding = holding_of(names, wish, *index);
    while (holding.count >= wish->owner_max) {
        revtun_leases_forget(&names->leases, holding.oldest);
        holding = holding_of(names, wish, *index);
    }
    return REVTUN_NAMES_OK;
}

// Binds a tunnel to a port which is not the one that it has; that one is given up.
static enum revtun_names_outcome bind_new(struct revtun_names *names,
                                          const struct revtun_names_wish *wish, uint32_t former,
                                          uint32_t *out)
{
    const struct revtun_leases_tunnel tunnel = {wish->owner, wish->name};
    uint32_t index = REVTUN_LEASES_NONE;
    enum revtun_names_outcome outcome = choose(names, wish, &index);

    if (former == REVTUN_LEASES_NONE && outcome != REVTUN_NAMES_DENIED &&
        outcome != REVTUN_NAMES_PORT_TAKEN) {
        outcome = make_room(names, wish, &index);
    }
    if (outcome != REVTUN_NAMES_OK) {
        return outcome;
    }
    if (former != REVTUN_LEASES_NONE) {
        revtun_leases_forget(&names->leases, former);
    }
    if (names->leases.at[index].state == REVTUN_LEASES_RESTING) {
        revtun_leases_forget(&names->leases, index);
    }
    revtun_leases_give(&names->leases, index, &tunnel);
    *out = index;
    return REVTUN_NAMES_OK;
}

enum revtun_names_outcome revtun_names_bind(struct revtun_names *names,
                                            const struct revtun_names_wish *wish, int64_t wall_s,
                                            uint16_t *port)
{
    const struct revtun_leases_tunnel tunnel = {wish->owner, wish->name};

    assert(revtun_leases_is_tunnel(&tunnel));
    assert(wish->owner_max > 0);
    revtun_leases_settle(&names->leases, wall_s);
    uint32_t index = revtun_leases_find(&names->leases, &tunnel);
    if (index != REVTUN_LEASES_NONE && names->leases.at[index].state == REVTUN_LEASES_BOUND) {
        return REVTUN_NAMES_BOUND;
    }
    const bool is_kept =
        index != REVTUN_LEASES_NONE &&
        (wish->port == 0 || wish->port == revtun_leases_port(&names->leases, index)) &&
        revtun_pattern_list_has_port(wish->ports, revtun_leases_port(&names->leases, index));
    if (is_kept) {
        revtun_leases_wake(&names->leases, index);
    } else {
        const enum revtun_names_outcome outcome = bind_new(names, wish, index, &index);
        if (outcome != REVTUN_NAMES_OK) {
            return outcome;
        }
    }
    *port = revtun_leases_port(&names->leases, index);
    return REVTUN_NAMES_OK;
}

void revtun_names_release(struct revtun_names *names, uint16_t port, int64_t wall_s)
{
    const uint32_t index = revtun_leases_index(&names->leases, port);

    assert(index != REVTUN_LEASES_NONE);
    revtun_leases_rest(&names->leases, index, wall_s);
}

uint16_t revtun_names_find(const struct revtun_names *names, struct bytes owner, struct bytes name)
{
    const struct revtun_leases_tunnel tunnel = {owner, name};
    const uint32_t index = revtun_leases_is_tunnel(&tunnel)
                               ? revtun_leases_find(&names->leases, &tunnel)
                               : REVTUN_LEASES_NONE;

    return index != REVTUN_LEASES_NONE ? revtun_leases_port(&names->leases, index) : 0;
}

bool revtun_names_look(const struct revtun_names *names, uint16_t port, int64_t wall_s,
                       struct revtun_names_lease *out)
{
    const uint32_t index = revtun_leases_index(&names->leases, port);

    if (index == REVTUN_LEASES_NONE) {
        return false;
    }
    const struct revtun_lease *lease = &names->leases.at[index];
    if (lease->state == REVTUN_LEASES_FREE ||
        (lease->state == REVTUN_LEASES_RESTING &&
         revtun_leases_is_over(&names->leases, lease, wall_s))) {
        return false;
    }
    *out = (struct revtun_names_lease){
        .owner = revtun_leases_owner(&names->leases, index),
        .name = revtun_leases_name(&names->leases, index),
        .is_bound = lease->state == REVTUN_LEASES_BOUND,
        .released_s = lease->released_s,
    };
    return true;
}

uint32_t revtun_names_free_count(struct revtun_names *names, int64_t wall_s)
{
    revtun_leases_settle(&names->leases, wall_s);
    return names->leases.vacant.vacant_count;
}

uint64_t revtun_names_change_count(const struct revtun_names *names)
{
    return names->leases.change_count;
}

size_t revtun_names_count(const struct revtun_names *names)
{
    return names->leases.count;
}

// --- as text ------------------------------------------------------------------------------------

static void lease_write(const struct revtun_names *names, uint32_t index, struct wr *wr)
{
    const struct revtun_lease *lease = &names->leases.at[index];
    const bool is_resting = lease->state == REVTUN_LEASES_RESTING;

    wr_decimal(wr, revtun_leases_port(&names->leases, index));
    wr_text(wr, " ");
    wr_bytes(wr, revtun_leases_owner(&names->leases, index));
    wr_text(wr, " ");
    wr_bytes(wr, revtun_leases_name(&names->leases, index));
    wr_text(wr, " ");
    wr_decimal(wr, is_resting && lease->released_s > 0 ? (uint64_t)lease->released_s : 0);
    wr_text(wr, "\n");
}

// Those that rest first, in the order in which they have been left, so that it is kept.
void revtun_names_write(const struct revtun_names *names, int64_t wall_s, struct wr *wr)
{
    for (uint32_t i = names->leases.resting.oldest; i != REVTUN_LEASES_NONE;
         i = names->leases.at[i].lines[REVTUN_LEASES_LINE_ALL].newer) {
        if (!revtun_leases_is_over(&names->leases, &names->leases.at[i], wall_s)) {
            lease_write(names, i, wr);
        }
    }
    for (uint32_t i = 0; i < names->leases.config.port_count; i++) {
        if (names->leases.at[i].state == REVTUN_LEASES_BOUND) {
            lease_write(names, i, wr);
        }
    }
}

// Takes the bytes before the next `end` off the text, and the `end` too.
static struct bytes part_take(struct bytes *text, uint8_t end)
{
    const size_t len = bytes_index(*text, end);
    const struct bytes part = bytes_first(*text, len);

    *text = bytes_from(*text, len + 1);
    return part;
}

// Reads a line; false when it is left out.
static bool lease_read(struct revtun_names *names, struct bytes line, int64_t wall_s)
{
    uint64_t port = 0;
    uint64_t released_s = 0;
    const struct bytes port_text = part_take(&line, ' ');
    const struct bytes owner = part_take(&line, ' ');
    const struct revtun_leases_tunnel tunnel = {owner, part_take(&line, ' ')};

    if (!bytes_to_number(port_text, UINT16_MAX, &port) || !revtun_leases_is_tunnel(&tunnel) ||
        !bytes_to_number(line, INT64_MAX, &released_s)) {
        return false;
    }
    const uint32_t index = revtun_leases_index(&names->leases, port);
    if (index == REVTUN_LEASES_NONE || names->leases.at[index].state != REVTUN_LEASES_FREE ||
        revtun_leases_find(&names->leases, &tunnel) != REVTUN_LEASES_NONE) {
        return false;
    }
    // What was bound rests from now on, and so does what was left when the clock was ahead.
    const bool is_past = released_s > 0 && (int64_t)released_s <= wall_s;
    const struct revtun_lease lease = {.released_s = is_past ? (int64_t)released_s : wall_s};
    if (revtun_leases_is_over(&names->leases, &lease, wall_s)) {
        return false;
    }
    revtun_leases_give(&names->leases, index, &tunnel);
    revtun_leases_rest(&names->leases, index, lease.released_s);
    return true;
}

struct revtun_names_dropped revtun_names_read(struct revtun_names *names, struct bytes text,
                                              int64_t wall_s)
{
    struct revtun_names_dropped dropped = {0};

    assert(names->leases.count == 0);
    for (size_t line_number = 1; text.len > 0; line_number++) {
        const struct bytes line = part_take(&text, '\n');
        if (!lease_read(names, line, wall_s)) {
            dropped.first_line = dropped.count == 0 ? line_number : dropped.first_line;
            dropped.count++;
        }
    }
    return dropped;
}
