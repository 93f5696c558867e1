// SPDX-License-Identifier: Apache-2.0
// The table of paths while routes and interfaces change.
#define _GNU_SOURCE
#include "xdp/xdp_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "table_world.h"
#include "xdp_world.h"

// Has a clock of its own, which stands still between two calls.
static void look_at_all_again(struct table_world *world)
{
    uint64_t now_ns = world->table.pause_ns;

    assert_int_equal(xdp_table_read(&world->table), 0);
    for (int i = 0; xdp_table_deadline(&world->table) <= now_ns; i++) {
        assert_true(i < TABLE_WORLD_CHANNELS);
        assert_int_equal(xdp_table_tick(&world->table, now_ns), 0);
        now_ns += XDP_TABLE_PAUSE_NS;
    }
}

static struct relay_abi_hop hop_of(const struct table_world *world, struct relay_abi_key key)
{
    const uint32_t hop = table_world_found(world, key).hop;
    struct relay_abi_hop value;

    assert_int_equal(bpf_map_lookup_elem(world->program.hops_fd, &hop, &value), 0);
    return value;
}

static void follows_the_routes(void **state)
{
    struct table_world world;

    (void)state;
    table_world_open(&world);
    xdp_world_run("ip neigh replace 192.0.2.254 lladdr 02:00:00:00:00:fe nud permanent dev near0");
    xdp_world_run("ip neigh replace 198.51.100.9 lladdr 02:00:00:00:00:91 nud permanent dev near1");
    for (uint16_t i = 0; i < TABLE_WORLD_CHANNELS; i++) {
        const struct xdp_binding binding = table_world_binding(i);
        assert_int_equal(xdp_table_bind(&world.table, i, &binding), 0);
    }
    look_at_all_again(&world);
    const uint32_t direct = table_world_found(&world, table_world_peer_key(0)).hop;
    xdp_world_run("ip route add 192.0.2.77/32 via 192.0.2.254");
    look_at_all_again(&world);
    for (uint16_t i = 0; i < TABLE_WORLD_CHANNELS; i++) { // by the router now
        assert_int_equal(hop_of(&world, table_world_peer_key(i)).to_mac[5], 0xfe);
        assert_int_not_equal(table_world_found(&world, table_world_peer_key(i)).hop, direct);
    }
    xdp_world_run("ip route replace 192.0.2.77/32 via 198.51.100.9");
    look_at_all_again(&world);
    assert_int_equal(hop_of(&world, table_world_peer_key(9)).to_mac[5],
                     0x91); // by the other interface
    assert_int_equal(hop_of(&world, table_world_peer_key(9)).ifindex, xdp_world_ifindex("near1"));
    xdp_world_run("ip route replace blackhole 192.0.2.77/32");
    look_at_all_again(&world);
    assert_int_equal(table_world_found(&world, table_world_peer_key(9)).hop, RELAY_ABI_HOP_NONE);
    xdp_world_run("ip route del 192.0.2.77/32");
    look_at_all_again(&world);
    assert_int_not_equal(table_world_found(&world, table_world_peer_key(9)).hop,
                         RELAY_ABI_HOP_NONE);
    assert_int_equal(table_world_count_paths(&world), 2 * TABLE_WORLD_CHANNELS);
    assert_int_equal(world.table.hops.pool.used, 2);

    xdp_world_run("ip link set near0 down");
    look_at_all_again(&world);
    assert_int_equal(hop_of(&world, table_world_peer_key(9)).ifindex, 0);
    xdp_world_run("ip link set near0 up");
    xdp_world_await_carrier("near0", true);
    xdp_world_run("ip address replace 2001:db8::1/64 dev near0 nodad");
    look_at_all_again(&world);
    assert_int_not_equal(table_world_found(&world, table_world_client_key(9)).hop,
                         RELAY_ABI_HOP_NONE);
    table_world_close(&world);
}

// What no event tells is found out before long, too: here nobody reads the events.
static void looks_again_without_a_reason(void **state)
{
    struct table_world world;
    uint64_t now_ns = 5 * SECOND_NS;

    (void)state;
    table_world_open(&world);
    assert_true(xdp_table_deadline(&world.table) == NEVER);
    for (uint16_t i = 0; i < TABLE_WORLD_CHANNELS; i++) {
        const struct xdp_binding binding = table_world_binding(i);
        assert_int_equal(xdp_table_bind(&world.table, i, &binding), 0);
    }
    assert_int_equal(xdp_table_tick(&world.table, now_ns), 0);
    assert_int_equal(xdp_table_deadline(&world.table), now_ns + XDP_TABLE_RENEW_NS);
    const uint32_t old = table_world_found(&world, table_world_peer_key(9)).hop;
    xdp_world_run("ip route add 192.0.2.77/32 dev near0 mtu 1300");
    assert_int_equal(xdp_table_tick(&world.table, now_ns + 1), 0);
    assert_int_equal(table_world_found(&world, table_world_peer_key(9)).hop, old); // not yet
    now_ns = xdp_table_deadline(&world.table);
    assert_int_equal(xdp_table_tick(&world.table, now_ns), 0);
    assert_int_not_equal(table_world_found(&world, table_world_peer_key(9)).hop, old);
    xdp_world_run("ip route del 192.0.2.77/32");
    table_world_close(&world);
}

static void follows_the_program(void **state)
{
    struct table_world world;
    struct xdp_reason reason;
    const struct xdp_binding binding = table_world_binding(0);

    (void)state;
    table_world_open(&world);
    assert_int_equal(xdp_program_detach(&world.program, "near0"), 0);
    assert_int_equal(xdp_table_bind(&world.table, 0, &binding), 0);
    assert_int_equal(table_world_found(&world, table_world_peer_key(0)).hop, RELAY_ABI_HOP_NONE);
    look_at_all_again(&world);
    assert_int_equal(xdp_program_attach(&world.program, "near0", XDP_LINK_GENERIC, &reason), 0);
    assert_int_equal(xdp_table_deadline(&world.table), world.table.pause_ns);
    look_at_all_again(&world);
    assert_int_not_equal(table_world_found(&world, table_world_peer_key(0)).hop,
                         RELAY_ABI_HOP_NONE);
    assert_int_not_equal(table_world_found(&world, table_world_client_key(0)).hop,
                         RELAY_ABI_HOP_NONE);
    table_world_close(&world);
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
    struct table_world world;
    uint64_t longest_ns = 0;
    uint64_t all_ns = 0;
    uint32_t turns = 0;

    (void)state;
    xdp_world_open(&world.program, TABLE_WORLD_MANY, TABLE_WORLD_HOPS);
    struct xdp_reason reason;
    assert_int_equal(xdp_program_attach(&world.program, "near0", XDP_LINK_GENERIC, &reason), 0);
    assert_int_equal(xdp_table_open(&world.program, TABLE_WORLD_MANY, &world.table), 0);
    for (uint16_t i = 0; i < TABLE_WORLD_MANY; i++) {
        const struct xdp_binding binding = table_world_binding(i);
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
    printf("%d channels again: %.1f ms in %u turns, the longest %.2f ms\n", (int)TABLE_WORLD_MANY,
           (double)all_ns / 1e6, turns, (double)longest_ns / 1e6);
    assert_int_equal(turns, TABLE_WORLD_MANY / XDP_TABLE_TICK_BOUND);
    const uint32_t router = table_world_found(&world, table_world_peer_key(0)).hop;
    assert_int_not_equal(router, table_world_found(&world, table_world_client_key(0)).hop);
    assert_int_equal(table_world_count_paths(&world), 2 * TABLE_WORLD_MANY);
    for (uint32_t i = 0; i < table_world_entry_count; i++) {
        const bool is_from_peer = table_world_entries[i].key.from == RELAY_ABI_FROM_PEER;
        assert_int_equal(table_world_entries[i].path.hop == router, is_from_peer);
    }
    xdp_world_run("ip route del 192.0.2.77/32");
    table_world_close(&world);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_routes),
        cmocka_unit_test(looks_again_without_a_reason),
        cmocka_unit_test(follows_the_program),
        cmocka_unit_test(looks_at_many_in_small_turns),
    };
    return xdp_world_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : XDP_WORLD_SKIPPED;
}
