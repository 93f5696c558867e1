// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_table.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "support/dies.h"
#include "xdp_world.h"

enum {
    CHANNELS = 64,
    MANY = 4096, // channels, in one test
    SLOTS = 2 * CHANNELS,
    HOPS = 16,
    ENTRY_MAX = 4 * MANY + RELAY_ABI_PROBES,
};

struct world {
    struct xdp_program program;
    struct xdp_table table;
};

static void open_world(struct world *world)
{
    struct xdp_reason reason;

    xdp_world_open(&world->program, CHANNELS, HOPS);
    assert_int_equal(xdp_program_attach(&world->program, "near0", XDP_LINK_GENERIC, &reason), 0);
    assert_int_equal(xdp_program_attach(&world->program, "near1", XDP_LINK_GENERIC, &reason), 0);
    assert_int_equal(xdp_table_open(&world->program, SLOTS, &world->table), 0);
}

static void close_world(struct world *world)
{
    xdp_table_close(&world->table);
    xdp_program_close(&world->program);
}

// A client on IPv4 and a peer on IPv6, told apart from others by a number.
static struct xdp_binding binding_of(uint16_t number)
{
    return (struct xdp_binding){
        .client = xdp_world_addr("192.0.2.77", (uint16_t)(40000 + number)),
        .server = xdp_world_addr("192.0.2.1", 3478),
        .peer = xdp_world_addr("2001:db8::99", 5060),
        .relayed = xdp_world_addr("2001:db8::1", (uint16_t)(50000 + number)),
        .channel = 0x4abc,
    };
}

static struct relay_abi_entry entries[ENTRY_MAX]; // of the table of paths
static uint32_t entry_count;

// Reads all of them as the kernel has them.
static void read_entries(const struct world *world)
{
    static uint32_t places[ENTRY_MAX];
    uint32_t next = 0;
    uint32_t count = xdp_paths_entry_count(&world->program.settings);

    assert_true(count <= ENTRY_MAX);
    entry_count = count;
    assert_int_equal(
        bpf_map_lookup_batch(world->program.paths_fd, NULL, &next, places, entries, &count, NULL),
        0);
    assert_int_equal(count, entry_count);
}

// How many paths are in the map.
static int count_paths(const struct world *world)
{
    int count = 0;

    read_entries(world);
    for (uint32_t i = 0; i < entry_count; i++) {
        count += entries[i].key.is_key;
    }
    return count;
}

// Written by hand, as a packet has it, not by what is tested.
static struct relay_abi_key client_key(uint16_t number)
{
    const uint16_t port = (uint16_t)(40000 + number);
    return (struct relay_abi_key){
        .remote_ip = {192, 0, 2, 77},
        .remote_port = {(uint8_t)(port >> 8), (uint8_t)port},
        .local = {0x4a, 0xbc},
        .own = 0,
        .from = RELAY_ABI_FROM_CLIENT,
        .is_key = 1,
    };
}

static struct relay_abi_key peer_key(uint16_t number)
{
    const uint16_t port = (uint16_t)(50000 + number);
    return (struct relay_abi_key){
        .remote_ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x99},
        .remote_port = {5060 >> 8, 5060 & 0xff},
        .local = {(uint8_t)(port >> 8), (uint8_t)port},
        .own = 1,
        .from = RELAY_ABI_FROM_PEER,
        .is_key = 1,
    };
}

static bool find(const struct world *world, struct relay_abi_key key, struct relay_abi_path *out)
{
    read_entries(world);
    for (uint32_t i = 0; i < entry_count; i++) {
        if (memcmp(&entries[i].key, &key, sizeof key) == 0) {
            *out = entries[i].path;
            return true;
        }
    }
    return false;
}

static struct relay_abi_path found(const struct world *world, struct relay_abi_key key)
{
    struct relay_abi_path path;

    assert_true(find(world, key, &path));
    return path;
}

static void binds_both_paths(void **state)
{
    struct world world;
    const struct xdp_binding binding = binding_of(0);
    const struct relay_abi_path to_peer = {
        .remote_ip = {0x20, 0x01, 0x0d, 0xb8, [15] = 0x99},
        .remote_port = {5060 >> 8, 5060 & 0xff},
        .local_port = {50000 >> 8, 50000 & 0xff},
        .own = 1,
    };
    const struct relay_abi_path to_client = {
        .remote_ip = {192, 0, 2, 77},
        .remote_port = {40000 >> 8, 40000 & 0xff},
        .local_port = {3478 >> 8, 3478 & 0xff},
        .channel = {0x4a, 0xbc},
        .own = 0,
    };

    (void)state;
    open_world(&world);
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0);
    assert_true(xdp_table_is_bound(&world.table, 7));
    assert_false(xdp_table_is_bound(&world.table, 6));
    struct relay_abi_path path = found(&world, client_key(0));
    assert_int_not_equal(path.hop, RELAY_ABI_HOP_NONE);
    path.hop = 0;
    assert_memory_equal(&path, &to_peer, sizeof path);
    path = found(&world, peer_key(0));
    assert_int_not_equal(path.hop, RELAY_ABI_HOP_NONE);
    path.hop = 0;
    assert_memory_equal(&path, &to_client, sizeof path);
    assert_int_equal(count_paths(&world), 2);
    close_world(&world);
}

static void unbinds_by_the_slot_alone(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    for (uint16_t i = 0; i < CHANNELS; i++) {
        const struct xdp_binding binding = binding_of(i);
        assert_int_equal(xdp_table_bind(&world.table, i, &binding), 0);
    }
    assert_int_equal(count_paths(&world), 2 * CHANNELS); // the map is full, to the last
    assert_int_equal(world.table.hops.pool.used, 2);     // one neighbour in each family
    for (uint16_t i = 0; i < CHANNELS; i++) {
        struct relay_abi_path path;
        xdp_table_unbind(&world.table, i);
        xdp_table_unbind(&world.table, i);
        assert_false(find(&world, client_key(i), &path));
        assert_false(find(&world, peer_key(i), &path));
        assert_int_equal(count_paths(&world), 2 * (CHANNELS - 1 - i));
    }
    assert_int_equal(world.table.hops.pool.used, 0);
    close_world(&world);
}

static void binds_a_bound_slot_anew(void **state)
{
    struct world world;
    struct relay_abi_path path;
    struct xdp_binding binding = binding_of(0);

    (void)state;
    open_world(&world);
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0);
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0); // the same again
    assert_int_equal(count_paths(&world), 2);
    binding = binding_of(1);
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0);
    assert_int_equal(count_paths(&world), 2);
    assert_false(find(&world, client_key(0), &path));
    assert_false(find(&world, peer_key(0), &path));
    found(&world, client_key(1));
    found(&world, peer_key(1));
    binding.server = xdp_world_addr("192.0.2.2", 3478); // not ours: what was bound goes, too
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0);
    assert_false(xdp_table_is_bound(&world.table, 7));
    assert_int_equal(count_paths(&world), 0);
    close_world(&world);
}

static void marks_what_is_turned(void **state)
{
    struct world world;
    struct xdp_binding binding = binding_of(0);

    (void)state;
    open_world(&world);
    binding.is_turned = true;
    binding.peer = xdp_world_addr("2001:db8::1", 50001);
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0);
    struct relay_abi_path path = found(&world, client_key(0));
    assert_true(path.is_turned);
    assert_int_equal(path.hop, RELAY_ABI_HOP_NONE); // the other client's path has the hop
    struct relay_abi_key key = peer_key(0);
    memset(key.remote_ip + 4, 0, 12);
    key.remote_ip[15] = 1;
    key.remote_port[0] = 50001 >> 8;
    key.remote_port[1] = 50001 & 0xff;
    path = found(&world, key);
    assert_true(path.is_turned);
    assert_int_not_equal(path.hop, RELAY_ABI_HOP_NONE);

    close_world(&world);
}

static void leaves_foreign_addresses_to_the_sockets(void **state)
{
    struct world world;
    struct xdp_binding bindings[] = {binding_of(0), binding_of(0), binding_of(0)};

    (void)state;
    open_world(&world);
    bindings[0].server = xdp_world_addr("192.0.2.2", 3478);
    bindings[1].server = xdp_world_addr("192.0.2.1", 3479);
    bindings[2].relayed = xdp_world_addr("2001:db8::2", 50000);
    for (uint32_t i = 0; i < COUNT_OF(bindings); i++) {
        assert_int_equal(xdp_table_bind(&world.table, i, &bindings[i]), 0);
        assert_false(xdp_table_is_bound(&world.table, i));
    }
    assert_int_equal(count_paths(&world), 0);
    assert_int_equal(world.table.hops.pool.used, 0);
    close_world(&world);
}

// Another slot has one of the paths, or the map no room: both ends stay as they were.
static void binds_both_paths_or_none(void **state)
{
    struct world world;
    struct relay_abi_path path;
    struct xdp_binding binding = binding_of(0);

    (void)state;
    open_world(&world);
    assert_int_equal(xdp_table_bind(&world.table, 0, &binding), 0);
    binding.client.port = 40001; // another path from the client, the same from the peer
    assert_int_equal(xdp_table_bind(&world.table, 1, &binding), -EEXIST);
    assert_false(xdp_table_is_bound(&world.table, 1));
    assert_false(find(&world, client_key(1), &path));
    assert_int_equal(count_paths(&world), 2);
    assert_int_equal(world.table.hops.pool.used, 2);

    for (uint16_t i = 1; i < CHANNELS; i++) {
        binding = binding_of(i);
        assert_int_equal(xdp_table_bind(&world.table, i, &binding), 0);
    }
    xdp_table_unbind(&world.table, 5);
    struct relay_abi_key foreign = client_key(5);
    foreign.remote_ip[0] = 10; // takes one of the two places that came free
    path = found(&world, client_key(0));
    assert_int_equal(xdp_paths_add(&world.table.paths, &foreign, &path), 0);
    binding = binding_of(5);
    assert_int_equal(xdp_table_bind(&world.table, 5, &binding), -E2BIG);
    assert_int_equal(count_paths(&world), 2 * CHANNELS - 1);
    assert_false(find(&world, client_key(5), &path));
    xdp_paths_remove(&world.table.paths, &foreign);
    assert_int_equal(xdp_table_bind(&world.table, 5, &binding), 0);
    close_world(&world);
}

// More slots than there is room for channels: which of them are bound makes no difference.
static void any_slots_share_the_room(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    for (uint16_t i = 0; i < CHANNELS; i++) {
        const struct xdp_binding binding = binding_of(i);
        assert_int_equal(xdp_table_bind(&world.table, SLOTS - 1 - i, &binding), 0);
    }
    const struct xdp_binding one_more = binding_of(CHANNELS);
    assert_int_equal(xdp_table_bind(&world.table, 0, &one_more), -E2BIG);
    xdp_table_unbind(&world.table, SLOTS - 1);
    assert_int_equal(xdp_table_bind(&world.table, 0, &one_more), 0);
    assert_int_equal(count_paths(&world), 2 * CHANNELS);
    close_world(&world);
}

// Has a clock of its own, which stands still between two calls.
static void look_at_all_again(struct world *world)
{
    uint64_t now_ns = world->table.pause_ns;

    assert_int_equal(xdp_table_read(&world->table), 0);
    for (int i = 0; xdp_table_deadline(&world->table) <= now_ns; i++) {
        assert_true(i < CHANNELS);
        assert_int_equal(xdp_table_tick(&world->table, now_ns), 0);
        now_ns += XDP_TABLE_PAUSE_NS;
    }
}

static struct relay_abi_hop hop_of(const struct world *world, struct relay_abi_key key)
{
    const uint32_t hop = found(world, key).hop;
    struct relay_abi_hop value;

    assert_int_equal(bpf_map_lookup_elem(world->program.hops_fd, &hop, &value), 0);
    return value;
}

static void follows_the_routes(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    xdp_world_run("ip neigh replace 192.0.2.254 lladdr 02:00:00:00:00:fe nud permanent dev near0");
    xdp_world_run("ip neigh replace 198.51.100.9 lladdr 02:00:00:00:00:91 nud permanent dev near1");
    for (uint16_t i = 0; i < CHANNELS; i++) {
        const struct xdp_binding binding = binding_of(i);
        assert_int_equal(xdp_table_bind(&world.table, i, &binding), 0);
    }
    look_at_all_again(&world);
    const uint32_t direct = found(&world, peer_key(0)).hop;
    xdp_world_run("ip route add 192.0.2.77/32 via 192.0.2.254");
    look_at_all_again(&world);
    for (uint16_t i = 0; i < CHANNELS; i++) { // by the router now
        assert_int_equal(hop_of(&world, peer_key(i)).to_mac[5], 0xfe);
        assert_int_not_equal(found(&world, peer_key(i)).hop, direct);
    }
    xdp_world_run("ip route replace 192.0.2.77/32 via 198.51.100.9");
    look_at_all_again(&world);
    assert_int_equal(hop_of(&world, peer_key(9)).to_mac[5], 0x91); // by the other interface
    assert_int_equal(hop_of(&world, peer_key(9)).ifindex, xdp_world_ifindex("near1"));
    xdp_world_run("ip route replace blackhole 192.0.2.77/32");
    look_at_all_again(&world);
    assert_int_equal(found(&world, peer_key(9)).hop, RELAY_ABI_HOP_NONE);
    xdp_world_run("ip route del 192.0.2.77/32");
    look_at_all_again(&world);
    assert_int_not_equal(found(&world, peer_key(9)).hop, RELAY_ABI_HOP_NONE);
    assert_int_equal(count_paths(&world), 2 * CHANNELS);
    assert_int_equal(world.table.hops.pool.used, 2);

    xdp_world_run("ip link set near0 down");
    look_at_all_again(&world);
    assert_int_equal(hop_of(&world, peer_key(9)).ifindex, 0);
    xdp_world_run("ip link set near0 up");
    xdp_world_await_carrier("near0", true);
    xdp_world_run("ip address replace 2001:db8::1/64 dev near0 nodad");
    look_at_all_again(&world);
    assert_int_not_equal(found(&world, client_key(9)).hop, RELAY_ABI_HOP_NONE);
    close_world(&world);
}

// What no event tells is found out before long, too: here nobody reads the events.
static void looks_again_without_a_reason(void **state)
{
    struct world world;
    uint64_t now_ns = 5 * SECOND_NS;

    (void)state;
    open_world(&world);
    assert_true(xdp_table_deadline(&world.table) == NEVER);
    for (uint16_t i = 0; i < CHANNELS; i++) {
        const struct xdp_binding binding = binding_of(i);
        assert_int_equal(xdp_table_bind(&world.table, i, &binding), 0);
    }
    assert_int_equal(xdp_table_tick(&world.table, now_ns), 0);
    assert_int_equal(xdp_table_deadline(&world.table), now_ns + XDP_TABLE_RENEW_NS);
    const uint32_t old = found(&world, peer_key(9)).hop;
    xdp_world_run("ip route add 192.0.2.77/32 dev near0 mtu 1300");
    assert_int_equal(xdp_table_tick(&world.table, now_ns + 1), 0);
    assert_int_equal(found(&world, peer_key(9)).hop, old); // not yet
    now_ns = xdp_table_deadline(&world.table);
    assert_int_equal(xdp_table_tick(&world.table, now_ns), 0);
    assert_int_not_equal(found(&world, peer_key(9)).hop, old);
    xdp_world_run("ip route del 192.0.2.77/32");
    close_world(&world);
}

static void follows_the_program(void **state)
{
    struct world world;
    struct xdp_reason reason;
    const struct xdp_binding binding = binding_of(0);

    (void)state;
    open_world(&world);
    assert_int_equal(xdp_program_detach(&world.program, "near0"), 0);
    assert_int_equal(xdp_table_bind(&world.table, 0, &binding), 0);
    assert_int_equal(found(&world, peer_key(0)).hop, RELAY_ABI_HOP_NONE);
    look_at_all_again(&world);
    assert_int_equal(xdp_program_attach(&world.program, "near0", XDP_LINK_GENERIC, &reason), 0);
    assert_int_equal(xdp_table_deadline(&world.table), world.table.pause_ns);
    look_at_all_again(&world);
    assert_int_not_equal(found(&world, peer_key(0)).hop, RELAY_ABI_HOP_NONE);
    assert_int_not_equal(found(&world, client_key(0)).hop, RELAY_ABI_HOP_NONE);
    close_world(&world);
}

static uint64_t now_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * SECOND_NS + (uint64_t)time.tv_nsec;
}

// No turn of the loop is held up by a change of routes, however many channels there are.
static void looks_at_many_in_small_turns(void **state)
{
    struct world world;
    uint64_t longest_ns = 0;
    uint64_t all_ns = 0;
    uint32_t turns = 0;

    (void)state;
    xdp_world_open(&world.program, MANY, HOPS);
    struct xdp_reason reason;
    assert_int_equal(xdp_program_attach(&world.program, "near0", XDP_LINK_GENERIC, &reason), 0);
    assert_int_equal(xdp_table_open(&world.program, MANY, &world.table), 0);
    for (uint16_t i = 0; i < MANY; i++) {
        const struct xdp_binding binding = binding_of(i);
        assert_int_equal(xdp_table_bind(&world.table, i, &binding), 0);
    }
    assert_int_equal(xdp_table_read(&world.table), 0);
    xdp_world_run("ip route add 192.0.2.77/32 via 192.0.2.254");
    assert_int_equal(xdp_table_read(&world.table), 0);
    while (world.table.behind > 0) {
        const uint64_t due_ns = xdp_table_deadline(&world.table);
        const uint32_t behind = world.table.behind;
        if (turns > 0) { // packets have their time between
            assert_int_equal(xdp_table_tick(&world.table, due_ns - 1), 0);
            assert_int_equal(world.table.behind, behind);
        }
        const uint64_t start_ns = now_ns();
        assert_int_equal(xdp_table_tick(&world.table, due_ns), 0);
        const uint64_t took_ns = now_ns() - start_ns;
        longest_ns = took_ns > longest_ns ? took_ns : longest_ns;
        all_ns += took_ns;
        assert_int_equal(world.table.behind, behind - XDP_TABLE_TICK_BOUND);
        assert_true(xdp_table_deadline(&world.table) >= due_ns + XDP_TABLE_PAUSE_NS);
        turns++;
    }
    printf("%d channels again: %.1f ms in %u turns, the longest %.2f ms\n", (int)MANY,
           (double)all_ns / 1e6, turns, (double)longest_ns / 1e6);
    assert_int_equal(turns, MANY / XDP_TABLE_TICK_BOUND);
    const uint32_t router = found(&world, peer_key(0)).hop;
    assert_int_not_equal(router, found(&world, client_key(0)).hop);
    assert_int_equal(count_paths(&world), 2 * MANY);
    for (uint32_t i = 0; i < entry_count; i++) {
        const bool is_from_peer = entries[i].key.from == RELAY_ABI_FROM_PEER;
        assert_int_equal(entries[i].path.hop == router, is_from_peer);
    }
    xdp_world_run("ip route del 192.0.2.77/32");
    close_world(&world);
}

static void bind_beyond_the_end(void *context)
{
    struct world *world = context;
    const struct xdp_binding binding = binding_of(0);

    IGNORE(xdp_table_bind(&world->table, SLOTS, &binding));
}

static void refuses_slots_that_are_not_there(void **state)
{
    struct world world;

    (void)state;
    open_world(&world);
    assert_true(dies(bind_beyond_the_end, &world));
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(binds_both_paths),
        cmocka_unit_test(unbinds_by_the_slot_alone),
        cmocka_unit_test(binds_a_bound_slot_anew),
        cmocka_unit_test(marks_what_is_turned),
        cmocka_unit_test(leaves_foreign_addresses_to_the_sockets),
        cmocka_unit_test(binds_both_paths_or_none),
        cmocka_unit_test(any_slots_share_the_room),
        cmocka_unit_test(follows_the_routes),
        cmocka_unit_test(looks_again_without_a_reason),
        cmocka_unit_test(follows_the_program),
        cmocka_unit_test(looks_at_many_in_small_turns),
        cmocka_unit_test(refuses_slots_that_are_not_there),
    };
    return xdp_world_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : XDP_WORLD_SKIPPED;
}
