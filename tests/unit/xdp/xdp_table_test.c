// SPDX-License-Identifier: Apache-2.0
#include "xdp/xdp_table.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "support/dies.h"
#include "table_world.h"
#include "xdp_world.h"

static void binds_both_paths(void **state)
{
    struct table_world world;
    const struct xdp_binding binding = table_world_binding(0);
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
    table_world_open(&world);
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0);
    assert_true(xdp_table_is_bound(&world.table, 7));
    assert_false(xdp_table_is_bound(&world.table, 6));
    struct relay_abi_path path = table_world_found(&world, table_world_client_key(0));
    assert_int_not_equal(path.hop, RELAY_ABI_HOP_NONE);
    path.hop = 0;
    assert_memory_equal(&path, &to_peer, sizeof path);
    path = table_world_found(&world, table_world_peer_key(0));
    assert_int_not_equal(path.hop, RELAY_ABI_HOP_NONE);
    path.hop = 0;
    assert_memory_equal(&path, &to_client, sizeof path);
    assert_int_equal(table_world_count_paths(&world), 2);
    table_world_close(&world);
}

static void unbinds_by_the_slot_alone(void **state)
{
    struct table_world world;

    (void)state;
    table_world_open(&world);
    for (uint16_t i = 0; i < TABLE_WORLD_CHANNELS; i++) {
        const struct xdp_binding binding = table_world_binding(i);
        assert_int_equal(xdp_table_bind(&world.table, i, &binding), 0);
    }
    assert_int_equal(table_world_count_paths(&world),
                     2 * TABLE_WORLD_CHANNELS);      // the map is full, to the last
    assert_int_equal(world.table.hops.pool.used, 2); // one neighbour in each family
    for (uint16_t i = 0; i < TABLE_WORLD_CHANNELS; i++) {
        struct relay_abi_path path;
        xdp_table_unbind(&world.table, i);
        xdp_table_unbind(&world.table, i);
        assert_false(table_world_find(&world, table_world_client_key(i), &path));
        assert_false(table_world_find(&world, table_world_peer_key(i), &path));
        assert_int_equal(table_world_count_paths(&world), 2 * (TABLE_WORLD_CHANNELS - 1 - i));
    }
    assert_int_equal(world.table.hops.pool.used, 0);
    table_world_close(&world);
}

static void binds_a_bound_slot_anew(void **state)
{
    struct table_world world;
    struct relay_abi_path path;
    struct xdp_binding binding = table_world_binding(0);

    (void)state;
    table_world_open(&world);
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0);
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0); // the same again
    assert_int_equal(table_world_count_paths(&world), 2);
    binding = table_world_binding(1);
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0);
    assert_int_equal(table_world_count_paths(&world), 2);
    assert_false(table_world_find(&world, table_world_client_key(0), &path));
    assert_false(table_world_find(&world, table_world_peer_key(0), &path));
    table_world_found(&world, table_world_client_key(1));
    table_world_found(&world, table_world_peer_key(1));
    binding.server = xdp_world_addr("192.0.2.2", 3478); // not ours: what was bound goes, too
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0);
    assert_false(xdp_table_is_bound(&world.table, 7));
    assert_int_equal(table_world_count_paths(&world), 0);
    table_world_close(&world);
}

static void marks_what_is_turned(void **state)
{
    struct table_world world;
    struct xdp_binding binding = table_world_binding(0);

    (void)state;
    table_world_open(&world);
    binding.is_turned = true;
    binding.peer = xdp_world_addr("2001:db8::1", 50001);
    assert_int_equal(xdp_table_bind(&world.table, 7, &binding), 0);
    struct relay_abi_path path = table_world_found(&world, table_world_client_key(0));
    assert_true(path.is_turned);
    assert_int_equal(path.hop, RELAY_ABI_HOP_NONE); // the other client's path has the hop
    struct relay_abi_key key = table_world_peer_key(0);
    memset(key.remote_ip + 4, 0, 12);
    key.remote_ip[15] = 1;
    key.remote_port[0] = 50001 >> 8;
    key.remote_port[1] = 50001 & 0xff;
    path = table_world_found(&world, key);
    assert_true(path.is_turned);
    assert_int_not_equal(path.hop, RELAY_ABI_HOP_NONE);

    table_world_close(&world);
}

static void leaves_foreign_addresses_to_the_sockets(void **state)
{
    struct table_world world;
    struct xdp_binding bindings[] = {table_world_binding(0), table_world_binding(0),
                                     table_world_binding(0)};

    (void)state;
    table_world_open(&world);
    bindings[0].server = xdp_world_addr("192.0.2.2", 3478);
    bindings[1].server = xdp_world_addr("192.0.2.1", 3479);
    bindings[2].relayed = xdp_world_addr("2001:db8::2", 50000);
    for (uint32_t i = 0; i < COUNT_OF(bindings); i++) {
        assert_int_equal(xdp_table_bind(&world.table, i, &bindings[i]), 0);
        assert_false(xdp_table_is_bound(&world.table, i));
    }
    assert_int_equal(table_world_count_paths(&world), 0);
    assert_int_equal(world.table.hops.pool.used, 0);
    table_world_close(&world);
}

// Another slot has one of the paths, or the map no room: both ends stay as they were.
static void binds_both_paths_or_none(void **state)
{
    struct table_world world;
    struct relay_abi_path path;
    struct xdp_binding binding = table_world_binding(0);

    (void)state;
    table_world_open(&world);
    assert_int_equal(xdp_table_bind(&world.table, 0, &binding), 0);
    binding.client.port = 40001; // another path from the client, the same from the peer
    assert_int_equal(xdp_table_bind(&world.table, 1, &binding), -EEXIST);
    assert_false(xdp_table_is_bound(&world.table, 1));
    assert_false(table_world_find(&world, table_world_client_key(1), &path));
    assert_int_equal(table_world_count_paths(&world), 2);
    assert_int_equal(world.table.hops.pool.used, 2);

    for (uint16_t i = 1; i < TABLE_WORLD_CHANNELS; i++) {
        binding = table_world_binding(i);
        assert_int_equal(xdp_table_bind(&world.table, i, &binding), 0);
    }
    xdp_table_unbind(&world.table, 5);
    struct relay_abi_key foreign = table_world_client_key(5);
    foreign.remote_ip[0] = 10; // takes one of the two places that came free
    path = table_world_found(&world, table_world_client_key(0));
    assert_int_equal(xdp_paths_add(&world.table.paths, &foreign, &path), 0);
    binding = table_world_binding(5);
    assert_int_equal(xdp_table_bind(&world.table, 5, &binding), -E2BIG);
    assert_int_equal(table_world_count_paths(&world), 2 * TABLE_WORLD_CHANNELS - 1);
    assert_false(table_world_find(&world, table_world_client_key(5), &path));
    xdp_paths_remove(&world.table.paths, &foreign);
    assert_int_equal(xdp_table_bind(&world.table, 5, &binding), 0);
    table_world_close(&world);
}

// More slots than there is room for channels: which of them are bound makes no difference.
static void any_slots_share_the_room(void **state)
{
    struct table_world world;

    (void)state;
    table_world_open(&world);
    for (uint16_t i = 0; i < TABLE_WORLD_CHANNELS; i++) {
        const struct xdp_binding binding = table_world_binding(i);
        assert_int_equal(xdp_table_bind(&world.table, TABLE_WORLD_SLOTS - 1 - i, &binding), 0);
    }
    const struct xdp_binding one_more = table_world_binding(TABLE_WORLD_CHANNELS);
    assert_int_equal(xdp_table_bind(&world.table, 0, &one_more), -E2BIG);
    xdp_table_unbind(&world.table, TABLE_WORLD_SLOTS - 1);
    assert_int_equal(xdp_table_bind(&world.table, 0, &one_more), 0);
    assert_int_equal(table_world_count_paths(&world), 2 * TABLE_WORLD_CHANNELS);
    table_world_close(&world);
}
static void bind_beyond_the_end(void *context)
{
    struct table_world *world = context;
    const struct xdp_binding binding = table_world_binding(0);

    IGNORE(xdp_table_bind(&world->table, TABLE_WORLD_SLOTS, &binding));
}

static void refuses_slots_that_are_not_there(void **state)
{
    struct table_world world;

    (void)state;
    table_world_open(&world);
    assert_true(dies(bind_beyond_the_end, &world));
    table_world_close(&world);
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
        cmocka_unit_test(refuses_slots_that_are_not_there),
    };
    return xdp_world_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : XDP_WORLD_SKIPPED;
}
