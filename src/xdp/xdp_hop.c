// SPDX-License-Identifier: Apache-2.0
#include "xdp/xdp_hop.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "xdp/xdp_neighbour.h"
#include "xdp/xdp_route.h"

enum {
    EVENT_ROOM = 1 << 20, // bytes that may wait to be read: a few thousand events
};

// What a hop is found by; it is hashed whole.
struct hop_key {
    struct addr next; // the neighbour's, port 0
    uint32_t ifindex;
    uint32_t route_mtu; // as of struct xdp_route
};
_Static_assert(sizeof(struct hop_key) == 28, "no padding");

struct hop {
    struct hop_key key;
    uint32_t reference_count;     // 0: free
    struct relay_abi_hop written; // as the map has it
    uint8_t mac[RELAY_ABI_MAC_LEN];
    bool is_known; // the neighbour has this MAC address
    uint8_t zero[1];
};
_Static_assert(sizeof(struct hop) % 8 == 0, "for the pool");

static struct hop *hop_at(const struct xdp_hop_set *set, uint32_t index)
{
    return pool_at(&set->pool, index);
}

static bool matches(const void *context, uint32_t index, const void *key)
{
    const struct xdp_hop_set *set = context;

    return memcmp(&hop_at(set, index)->key, key, sizeof(struct hop_key)) == 0;
}

static uint64_t hash_of(const struct xdp_hop_set *set, const struct hop_key *key)
{
    return siphash(&set->key, (struct bytes){(const uint8_t *)key, sizeof *key});
}

// --- what the map should have -------------------------------------------------------------------

// The device of an interface to which the program is attached, or NULL.
static struct xdp_device *find_device(struct xdp_hop_set *set, uint32_t ifindex)
{
    for (uint32_t i = 0; i < set->device_count; i++) {
        if (set->devices[i].ifindex == ifindex) {
            return &set->devices[i];
        }
    }
    return NULL;
}

// Brings the map's hop up to date with what is known of the neighbour and the device.
static int write_hop(struct xdp_hop_set *set, uint32_t index)
{
    struct hop *hop = hop_at(set, index);
    const struct xdp_device *device = find_device(set, hop->key.ifindex);
    struct relay_abi_hop value = {.ifindex = 0};
    const uint32_t map_index = index + 1;

    if (device != NULL && device->is_usable && hop->is_known && hop->reference_count > 0) {
        const uint32_t route_mtu = hop->key.route_mtu;
        value.ifindex = device->ifindex;
        value.mtu = route_mtu != 0 && route_mtu < device->mtu ? route_mtu : device->mtu;
        memcpy(value.to_mac, hop->mac, sizeof value.to_mac);
        memcpy(value.from_mac, device->mac, sizeof value.from_mac);
    }
    if (memcmp(&value, &hop->written, sizeof value) == 0) {
        return 0; // and the program's own note stays
    }
    const int error = bpf_map_update_elem(set->program->hops_fd, &map_index, &value, BPF_ANY);
    if (error == 0) {
        hop->written = value;
    }
    return error;
}

static void set_neighbour(struct hop *hop, const struct xdp_neighbour *neighbour)
{
    hop->is_known = neighbour->is_known;
    memcpy(hop->mac, neighbour->mac, sizeof hop->mac);
}

// Asks for the hop's neighbour. When the system does not answer, it is not known.
static int ask_neighbour(struct xdp_hop_set *set, uint32_t index)
{
    struct hop *hop = hop_at(set, index);
    struct xdp_neighbour neighbour = {.is_known = false};

    // Its events tell later what it was.
    IGNORE(xdp_neighbour_find(&set->questions, hop->key.ifindex, &hop->key.next, &neighbour));
    set_neighbour(hop, &neighbour);
    return write_hop(set, index);
}

static bool is_taken(const struct xdp_hop_set *set, uint32_t index)
{
    return (set->pool.slots[index].generation & 1) != 0;
}

// Writes all hops of an interface anew.
static int write_hops_of(struct xdp_hop_set *set, uint32_t ifindex)
{
    int first_error = 0;

    for (uint32_t i = 0; i < set->pool.touched; i++) {
        if (is_taken(set, i) && hop_at(set, i)->key.ifindex == ifindex) {
            const int error = write_hop(set, i);
            first_error = first_error != 0 ? first_error : error;
        }
    }
    return first_error;
}

// --- opening ------------------------------------------------------------------------------------

// Reads the devices anew when the program was attached or detached. True when it was.
static bool follow_links(struct xdp_hop_set *set)
{
    const struct xdp_program *program = set->program;

    if (set->link_changes == program->link_changes) {
        return false;
    }
    set->device_count = 0;
    for (uint32_t i = 0; i < program->link_count; i++) {
        struct xdp_device *device = &set->devices[set->device_count++];
        *device = (struct xdp_device){.ifindex = program->links[i].ifindex};
        // One that cannot be asked for is not usable, until an event tells more.
        IGNORE(xdp_device_find(&set->questions, program->links[i].ifindex, device));
    }
    set->link_changes = program->link_changes;
    return true;
}

static int join_groups(struct xdp_netlink *events)
{
    static const int groups[] = {
        RTNLGRP_NEIGH,     RTNLGRP_LINK,      RTNLGRP_IPV4_ROUTE,  RTNLGRP_IPV6_ROUTE,
        RTNLGRP_IPV4_RULE, RTNLGRP_IPV6_RULE, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR,
    };

    for (size_t i = 0; i < COUNT_OF(groups); i++) {
        const int error = xdp_netlink_join(events, groups[i]);
        if (error != 0) {
            return error;
        }
    }
    // Routes by next hops that have names of their own (ip nexthop), of which old kernels have
    // none.
    IGNORE(xdp_netlink_join(events, RTNLGRP_NEXTHOP));
    xdp_netlink_set_room(events, EVENT_ROOM);
    return 0;
}

static int open_sockets(struct xdp_hop_set *set)
{
    int error = xdp_netlink_open(&set->questions);

    if (error != 0) {
        return error;
    }
    error = xdp_netlink_open(&set->events);
    return error != 0 ? error : join_groups(&set->events);
}

static int init_memory(struct xdp_hop_set *set)
{
    const size_t pool_len = pool_size(set->program->hop_max, sizeof(struct hop));
    uint8_t random[SIPHASH_KEY_LEN];

    if (getrandom(random, sizeof random, 0) != sizeof random) {
        return -errno;
    }
    set->key = siphash_key_read(random);
    set->memory = calloc(1, pool_len + table_size(set->program->hop_max));
    if (set->memory == NULL) {
        return -ENOMEM;
    }
    pool_init(&set->pool, set->memory, set->program->hop_max, sizeof(struct hop));
    table_init(&set->table, (uint8_t *)set->memory + pool_len, set->program->hop_max);
    return 0;
}

int xdp_hop_open(const struct xdp_program *program, struct xdp_hop_set *out)
{
    struct xdp_hop_set set = {
        .program = program,
        .questions = {.fd = -1},
        .events = {.fd = -1},
        .link_changes = program->link_changes - 1, // to be read below
    };
    int error = open_sockets(&set);

    if (error == 0) {
        error = init_memory(&set);
    }
    if (error != 0) {
        xdp_hop_close(&set);
        return error;
    }
    follow_links(&set);
    *out = set;
    return 0;
}

void xdp_hop_close(struct xdp_hop_set *set)
{
    xdp_netlink_close(&set->questions);
    xdp_netlink_close(&set->events);
    free(set->memory);
    set->memory = NULL;
}

// --- taking and giving --------------------------------------------------------------------------

// Makes a hop that nobody has yet.
static int make(struct xdp_hop_set *set, const struct hop_key *key, uint64_t hash, uint32_t *out)
{
    struct pool_ref ref;

    if (!pool_take(&set->pool, &ref)) {
        *out = POOL_NONE;
        return 0;
    }
    *hop_at(set, ref.index) = (struct hop){.key = *key, .reference_count = 1};
    const int error = ask_neighbour(set, ref.index);
    if (error != 0) {
        pool_give(&set->pool, ref.index);
        return error;
    }
    table_add(&set->table, hash, ref.index);
    *out = ref.index;
    return 0;
}

int xdp_hop_take(struct xdp_hop_set *set, const struct addr *destination, const struct addr *source,
                 uint32_t *out)
{
    struct xdp_route route;

    // Without a way there is no hop; the sockets find out why.
    if (xdp_route_find(&set->questions, destination, source, &route) != 0 ||
        !xdp_program_is_attached(set->program, route.ifindex)) {
        *out = RELAY_ABI_HOP_NONE;
        return 0;
    }
    const struct hop_key key = {
        .next = route.next,
        .ifindex = route.ifindex,
        .route_mtu = route.mtu,
    };
    const uint64_t hash = hash_of(set, &key);
    uint32_t index = table_find(&set->table, hash, matches, set, &key);
    if (index != TABLE_NONE) {
        hop_at(set, index)->reference_count++;
        *out = index + 1;
        return 0;
    }
    const int error = make(set, &key, hash, &index);
    if (error == 0) {
        *out = index == POOL_NONE ? RELAY_ABI_HOP_NONE : index + 1;
    }
    return error;
}

void xdp_hop_give(struct xdp_hop_set *set, uint32_t hop)
{
    const uint32_t index = hop - 1;

    if (hop == RELAY_ABI_HOP_NONE) {
        return;
    }
    struct hop *item = hop_at(set, index);
    assert(item->reference_count > 0);
    if (--item->reference_count > 0) {
        return;
    }
    // No path leads to it any more: what the map has in its place is for nobody.
    IGNORE(write_hop(set, index));
    table_remove(&set->table, hash_of(set, &item->key), index);
    pool_give(&set->pool, index);
}

// --- events -------------------------------------------------------------------------------------

static int on_neighbour(struct xdp_hop_set *set, const struct xdp_neighbour *neighbour)
{
    int first_error = 0;

    for (uint32_t i = 0; i < set->pool.touched; i++) {
        if (!is_taken(set, i)) {
            continue;
        }
        struct hop *hop = hop_at(set, i);
        if (hop->key.ifindex == neighbour->ifindex &&
            addr_same_ip(&hop->key.next, &neighbour->ip)) {
            set_neighbour(hop, neighbour);
            const int error = write_hop(set, i);
            first_error = first_error != 0 ? first_error : error;
        }
    }
    return first_error;
}

static int on_device(struct xdp_hop_set *set, const struct xdp_device *device, bool *has_new_ways)
{
    struct xdp_device *known = find_device(set, device->ifindex);

    if (known == NULL) {
        return 0;
    }
    *known = *device;
    *has_new_ways = true;
    return write_hops_of(set, device->ifindex);
}

static int on_message(struct xdp_hop_set *set, const struct nlmsghdr *message, bool *has_new_ways)
{
    struct xdp_neighbour neighbour;
    struct xdp_device device;

    if (xdp_neighbour_read(message, &neighbour)) {
        return on_neighbour(set, &neighbour);
    }
    if (xdp_device_read(message, &device)) {
        return on_device(set, &device, has_new_ways);
    }
    if (xdp_route_is_changed_by(message)) {
        *has_new_ways = true;
    }
    return 0;
}

// Events were lost: everything is asked for anew.
static void begin_anew(struct xdp_hop_set *set, bool *has_new_ways)
{
    set->link_changes = set->program->link_changes - 1;
    set->behind = set->pool.touched;
    *has_new_ways = true;
}

int xdp_hop_fd(const struct xdp_hop_set *set)
{
    return set->events.fd;
}

int xdp_hop_read(struct xdp_hop_set *set, bool *has_new_ways)
{
    struct xdp_netlink_datagram datagram;
    int first_error = 0;

    for (int i = 0; i < XDP_HOP_READ_MAX; i++) {
        const int received = xdp_netlink_receive(&set->events, &datagram);
        if (received == -ENOBUFS) {
            begin_anew(set, has_new_ways);
            continue;
        }
        if (received != 0) {
            break; // -EAGAIN: there is no more
        }
        const struct nlmsghdr *message = xdp_netlink_next(&datagram, NULL);
        while (message != NULL) {
            const int error = on_message(set, message, has_new_ways);
            first_error = first_error != 0 ? first_error : error;
            message = xdp_netlink_next(&datagram, message);
        }
    }
    return first_error;
}

bool xdp_hop_is_behind(const struct xdp_hop_set *set)
{
    return set->link_changes != set->program->link_changes || set->behind > 0;
}

int xdp_hop_tick(struct xdp_hop_set *set, bool *has_new_ways)
{
    int first_error = 0;

    if (follow_links(set)) {
        *has_new_ways = true;
        for (uint32_t i = 0; i < set->pool.touched; i++) {
            const int error = is_taken(set, i) ? write_hop(set, i) : 0;
            first_error = first_error != 0 ? first_error : error;
        }
    }
    for (uint32_t i = 0; i < XDP_HOP_TICK_HOPS && set->behind > 0; i++) {
        set->cursor = set->cursor + 1 < set->pool.touched ? set->cursor + 1 : 0;
        set->behind--;
        if (is_taken(set, set->cursor)) {
            const int error = ask_neighbour(set, set->cursor);
            first_error = first_error != 0 ? first_error : error;
        }
    }
    return first_error;
}
