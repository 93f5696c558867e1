// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_names.h"

#include <assert.h>
#include <string.h>

#include "base/layout.h"
#include "base/table.h"
#include "revtun/revtun_pattern.h"

#define NONE UINT32_MAX

enum state {
    STATE_FREE = 0,
    STATE_RESTING,
    STATE_BOUND,
};

// One for each port, at the index of the port.
struct lease {
    int64_t released_s;    // when it began to rest
    uint32_t newer, older; // in the line of those that are not bound
    uint8_t state;         // enum state
    uint8_t owner_len, name_len;
    uint8_t owner[REVTUN_NAMES_OWNER_MAX];
    uint8_t name[REVTUN_NAME_MAX];
};

struct revtun_names {
    struct revtun_names_config config;
    struct table by_name; // of leases that are not free
    struct lease *leases;
    uint32_t oldest, newest; // of those that are not bound: left the longest ago, or just now
    uint32_t lease_count;
    uint64_t change_count;
};

// Where each part lies.
struct layout {
    size_t table, leases, size;
};

static struct layout layout_of(uint16_t port_count)
{
    struct layout layout = {0};

    (void)layout_place(&layout.size, sizeof(struct revtun_names));
    layout.table = layout_place(&layout.size, table_size(port_count));
    layout.leases = layout_place(&layout.size, port_count * sizeof(struct lease));
    return layout;
}

size_t revtun_names_size(uint16_t port_count)
{
    assert(port_count > 0);
    return layout_of(port_count).size;
}

// --- the line of ports that are not bound -------------------------------------------------------

static void line_add(struct revtun_names *names, uint32_t index)
{
    struct lease *lease = &names->leases[index];

    lease->older = names->newest;
    lease->newer = NONE;
    if (names->newest != NONE) {
        names->leases[names->newest].newer = index;
    } else {
        names->oldest = index;
    }
    names->newest = index;
}

static void line_remove(struct revtun_names *names, uint32_t index)
{
    const struct lease *lease = &names->leases[index];

    if (lease->older != NONE) {
        names->leases[lease->older].newer = lease->newer;
    } else {
        names->oldest = lease->newer;
    }
    if (lease->newer != NONE) {
        names->leases[lease->newer].older = lease->older;
    } else {
        names->newest = lease->older;
    }
}

struct revtun_names *revtun_names_init(void *memory, const struct revtun_names_config *config)
{
    struct revtun_names *names = memory;
    uint8_t *bytes = memory;

    assert(config->first_port > 0);
    assert(config->port_count > 0);
    assert(config->port_count <= UINT16_MAX - config->first_port + 1);
    *names = (struct revtun_names){.config = *config, .oldest = NONE, .newest = NONE};
    const struct layout layout = layout_of(config->port_count);
    table_init(&names->by_name, bytes + layout.table, config->port_count);
    names->leases = (struct lease *)(void *)(bytes + layout.leases);
    for (uint32_t i = 0; i < config->port_count; i++) {
        line_add(names, i);
    }
    return names;
}

// --- looking up ---------------------------------------------------------------------------------

struct tunnel {
    struct bytes owner, name;
};

static struct bytes owner_of(const struct lease *lease)
{
    return (struct bytes){lease->owner, lease->owner_len};
}

static struct bytes name_of(const struct lease *lease)
{
    return (struct bytes){lease->name, lease->name_len};
}

static uint64_t hash_of(const struct revtun_names *names, const struct tunnel *tunnel)
{
    uint8_t text[REVTUN_NAMES_OWNER_MAX + 1 + REVTUN_NAME_MAX];
    struct wr wr = wr_init(text, sizeof text);

    wr_bytes(&wr, tunnel->owner);
    wr_text(&wr, " "); // neither has one
    wr_bytes(&wr, tunnel->name);
    assert(wr_ok(&wr));
    return siphash(&names->config.key, wr_done(&wr));
}

static bool is_of_tunnel(const void *context, uint32_t index, const void *key)
{
    const struct revtun_names *names = context;
    const struct lease *lease = &names->leases[index];
    const struct tunnel *tunnel = key;

    return bytes_equal(owner_of(lease), tunnel->owner) && bytes_equal(name_of(lease), tunnel->name);
}

static uint32_t index_of(const struct revtun_names *names, const struct tunnel *tunnel)
{
    return table_find(&names->by_name, hash_of(names, tunnel), is_of_tunnel, names, tunnel);
}

static bool is_tunnel(const struct tunnel *tunnel)
{
    for (size_t i = 0; i < tunnel->owner.len; i++) {
        if (tunnel->owner.ptr[i] <= ' ' || tunnel->owner.ptr[i] > 0x7e) {
            return false;
        }
    }
    return tunnel->owner.len > 0 && tunnel->owner.len <= REVTUN_NAMES_OWNER_MAX &&
           revtun_pattern_is_name(tunnel->name);
}

static uint16_t port_of(const struct revtun_names *names, uint32_t index)
{
    return (uint16_t)(names->config.first_port + index);
}

// The index of a port, or NONE when it is not one of these.
static uint32_t index_of_port(const struct revtun_names *names, uint64_t port)
{
    const uint64_t first = names->config.first_port;

    return port >= first && port < first + names->config.port_count ? (uint32_t)(port - first)
                                                                    : NONE;
}

// --- changes ------------------------------------------------------------------------------------

// A lease is over when its port has rested for long enough. A clock that went back ends none.
static bool is_over(const struct revtun_names *names, const struct lease *lease, int64_t wall_s)
{
    return lease->state == STATE_RESTING && wall_s >= lease->released_s &&
           (uint64_t)(wall_s - lease->released_s) >= names->config.lease_s;
}

// A tunnel that has none may take it.
static bool is_free(const struct revtun_names *names, const struct lease *lease, int64_t wall_s)
{
    return lease->state == STATE_FREE || is_over(names, lease, wall_s);
}

// Ends the lease of a port that is not bound; the port keeps its place in the line.
static void forget(struct revtun_names *names, uint32_t index)
{
    struct lease *lease = &names->leases[index];
    const struct tunnel tunnel = {owner_of(lease), name_of(lease)};

    assert(lease->state != STATE_BOUND);
    if (lease->state == STATE_RESTING) {
        table_remove(&names->by_name, hash_of(names, &tunnel), index);
        lease->state = STATE_FREE;
        names->lease_count--;
        names->change_count++;
    }
}

// Leases a free port to a tunnel that has none, and leaves it resting.
static void lease_to(struct revtun_names *names, uint32_t index, const struct tunnel *tunnel,
                     int64_t released_s)
{
    struct lease *lease = &names->leases[index];

    assert(lease->state == STATE_FREE);
    lease->state = STATE_RESTING;
    lease->released_s = released_s;
    lease->owner_len = (uint8_t)tunnel->owner.len;
    lease->name_len = (uint8_t)tunnel->name.len;
    memcpy(lease->owner, tunnel->owner.ptr, tunnel->owner.len);
    memcpy(lease->name, tunnel->name.ptr, tunnel->name.len);
    table_add(&names->by_name, hash_of(names, tunnel), index);
    names->lease_count++;
    names->change_count++;
}

// --- binding ------------------------------------------------------------------------------------

// The port for a tunnel that has none: the wanted one, or the free one left the longest ago.
static enum revtun_names_outcome choose(const struct revtun_names *names,
                                        const struct revtun_names_wish *wish, int64_t wall_s,
                                        uint32_t *out)
{
    if (wish->port != 0) {
        const uint32_t index = index_of_port(names, wish->port);
        if (index == NONE || !revtun_pattern_list_has_port(wish->ports, wish->port)) {
            return REVTUN_NAMES_DENIED;
        }
        const struct lease *lease = &names->leases[index];
        const bool is_own_rest =
            lease->state == STATE_RESTING && bytes_equal(owner_of(lease), wish->owner);
        if (!is_own_rest && !is_free(names, lease, wall_s)) {
            return REVTUN_NAMES_PORT_TAKEN;
        }
        *out = index;
        return REVTUN_NAMES_OK;
    }
    for (uint32_t i = names->oldest; i != NONE; i = names->leases[i].newer) {
        if (is_free(names, &names->leases[i], wall_s) &&
            revtun_pattern_list_has_port(wish->ports, port_of(names, i))) {
            *out = i;
            return REVTUN_NAMES_OK;
        }
    }
    return REVTUN_NAMES_NO_PORT;
}

// What an owner holds besides one port.
struct holding {
    uint32_t count;
    uint32_t bound_count;
    uint32_t oldest;   // of those that rest, or NONE
    uint32_t eligible; // likewise, of those that it may have now
};

static struct holding holding_of(const struct revtun_names *names,
                                 const struct revtun_names_wish *wish, uint32_t besides)
{
    struct holding holding = {.oldest = NONE, .eligible = NONE};

    for (uint32_t i = 0; i < names->config.port_count; i++) {
        const struct lease *lease = &names->leases[i];
        if (i != besides && lease->state != STATE_FREE &&
            bytes_equal(owner_of(lease), wish->owner)) {
            holding.count++;
            holding.bound_count += lease->state == STATE_BOUND;
        }
    }
    for (uint32_t i = names->oldest; i != NONE && holding.eligible == NONE;
         i = names->leases[i].newer) {
        const struct lease *lease = &names->leases[i];
        if (i != besides && lease->state == STATE_RESTING &&
            bytes_equal(owner_of(lease), wish->owner)) {
            holding.oldest = holding.oldest == NONE ? i : holding.oldest;
            holding.eligible =
                revtun_pattern_list_has_port(wish->ports, port_of(names, i)) ? i : NONE;
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
        return *index != NONE ? REVTUN_NAMES_OK : REVTUN_NAMES_NO_PORT;
    }
    if (holding.bound_count >= wish->owner_max) {
        return REVTUN_NAMES_QUOTA;
    }
    if (*index == NONE && holding.eligible == NONE) {
        return REVTUN_NAMES_NO_PORT;
    }
    *index = *index != NONE ? *index : holding.eligible;
    holding = holding_of(names, wish, *index);
    while (holding.count >= wish->owner_max) {
        forget(names, holding.oldest);
        holding = holding_of(names, wish, *index);
    }
    return REVTUN_NAMES_OK;
}

// Binds a tunnel to a port which is not the one that it has; that one is given up.
static enum revtun_names_outcome bind_new(struct revtun_names *names,
                                          const struct revtun_names_wish *wish, uint32_t former,
                                          int64_t wall_s, uint32_t *out)
{
    const struct tunnel tunnel = {wish->owner, wish->name};
    uint32_t index = NONE;
    enum revtun_names_outcome outcome = choose(names, wish, wall_s, &index);

    if (former == NONE && outcome != REVTUN_NAMES_DENIED && outcome != REVTUN_NAMES_PORT_TAKEN) {
        outcome = make_room(names, wish, &index);
    }
    if (outcome != REVTUN_NAMES_OK) {
        return outcome;
    }
    if (former != NONE) {
        forget(names, former);
    }
    forget(names, index);
    lease_to(names, index, &tunnel, wall_s);
    *out = index;
    return REVTUN_NAMES_OK;
}

enum revtun_names_outcome revtun_names_bind(struct revtun_names *names,
                                            const struct revtun_names_wish *wish, int64_t wall_s,
                                            uint16_t *port)
{
    const struct tunnel tunnel = {wish->owner, wish->name};

    assert(is_tunnel(&tunnel));
    assert(wish->owner_max > 0);
    uint32_t index = index_of(names, &tunnel);
    if (index != NONE && names->leases[index].state == STATE_BOUND) {
        return REVTUN_NAMES_BOUND;
    }
    const bool is_kept = index != NONE &&
                         (wish->port == 0 || wish->port == port_of(names, index)) &&
                         revtun_pattern_list_has_port(wish->ports, port_of(names, index));
    if (!is_kept) {
        const enum revtun_names_outcome outcome = bind_new(names, wish, index, wall_s, &index);
        if (outcome != REVTUN_NAMES_OK) {
            return outcome;
        }
    }
    names->leases[index].state = STATE_BOUND;
    line_remove(names, index);
    names->change_count++;
    *port = port_of(names, index);
    return REVTUN_NAMES_OK;
}

void revtun_names_release(struct revtun_names *names, uint16_t port, int64_t wall_s)
{
    const uint32_t index = index_of_port(names, port);

    assert(index != NONE);
    assert(names->leases[index].state == STATE_BOUND);
    names->leases[index].state = STATE_RESTING;
    names->leases[index].released_s = wall_s;
    line_add(names, index);
    names->change_count++;
}

uint16_t revtun_names_find(const struct revtun_names *names, struct bytes owner, struct bytes name)
{
    const struct tunnel tunnel = {owner, name};
    const uint32_t index = is_tunnel(&tunnel) ? index_of(names, &tunnel) : NONE;

    return index != NONE ? port_of(names, index) : 0;
}

uint64_t revtun_names_change_count(const struct revtun_names *names)
{
    return names->change_count;
}

size_t revtun_names_count(const struct revtun_names *names)
{
    return names->lease_count;
}

// --- as text ------------------------------------------------------------------------------------

static void lease_write(const struct revtun_names *names, uint32_t index, struct wr *wr)
{
    const struct lease *lease = &names->leases[index];
    const bool is_resting = lease->state == STATE_RESTING;

    wr_decimal(wr, port_of(names, index));
    wr_text(wr, " ");
    wr_bytes(wr, owner_of(lease));
    wr_text(wr, " ");
    wr_bytes(wr, name_of(lease));
    wr_text(wr, " ");
    wr_decimal(wr, is_resting && lease->released_s > 0 ? (uint64_t)lease->released_s : 0);
    wr_text(wr, "\n");
}

// Those that rest first, in the order in which they have been left, so that it is kept.
void revtun_names_write(const struct revtun_names *names, int64_t wall_s, struct wr *wr)
{
    for (uint32_t i = names->oldest; i != NONE; i = names->leases[i].newer) {
        if (!is_free(names, &names->leases[i], wall_s)) {
            lease_write(names, i, wr);
        }
    }
    for (uint32_t i = 0; i < names->config.port_count; i++) {
        if (names->leases[i].state == STATE_BOUND) {
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
    const struct tunnel tunnel = {owner, part_take(&line, ' ')};

    if (!bytes_to_number(port_text, UINT16_MAX, &port) || !is_tunnel(&tunnel) ||
        !bytes_to_number(line, INT64_MAX, &released_s)) {
        return false;
    }
    const uint32_t index = index_of_port(names, port);
    if (index == NONE || names->leases[index].state != STATE_FREE ||
        index_of(names, &tunnel) != NONE) {
        return false;
    }
    // What was bound rests from now on, and so does what was left when the clock was ahead.
    const bool is_past = released_s > 0 && (int64_t)released_s <= wall_s;
    const struct lease lease = {.state = STATE_RESTING,
                                .released_s = is_past ? (int64_t)released_s : wall_s};
    if (is_over(names, &lease, wall_s)) {
        return false;
    }
    lease_to(names, index, &tunnel, lease.released_s);
    line_remove(names, index);
    line_add(names, index);
    return true;
}

struct revtun_names_dropped revtun_names_read(struct revtun_names *names, struct bytes text,
                                              int64_t wall_s)
{
    struct revtun_names_dropped dropped = {0};

    assert(names->lease_count == 0);
    for (size_t line_number = 1; text.len > 0; line_number++) {
        const struct bytes line = part_take(&text, '\n');
        if (!lease_read(names, line, wall_s)) {
            dropped.first_line = dropped.count == 0 ? line_number : dropped.first_line;
            dropped.count++;
        }
    }
    return dropped;
}
