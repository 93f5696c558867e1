// SPDX-License-Identifier: Apache-2.0
#include "table_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <bpf/bpf.h>
#include <cmocka.h>

#include "xdp_world.h"

void table_world_open(struct table_world *world)
{
    struct xdp_reason reason;

    xdp_world_open(&world->program, TABLE_WORLD_CHANNELS, TABLE_WORLD_HOPS);
    assert_int_equal(xdp_program_attach(&world->program, "near0", XDP_LINK_GENERIC, &reason), 0);
    assert_int_equal(xdp_program_attach(&world->program, "near1", XDP_LINK_GENERIC, &reason), 0);
    assert_int_equal(xdp_table_open(&world->program, TABLE_WORLD_SLOTS, &world->table), 0);
}

void table_world_close(struct table_world *world)
{
    xdp_table_close(&world->table);
    xdp_program_close(&world->program);
}

// A client on IPv4 and a peer on IPv6, told apart from others by a number.
struct xdp_binding table_world_binding(uint16_t number)
{
    return (struct xdp_binding){
        .client = xdp_world_addr("192.0.2.77", (uint16_t)(40000 + number)),
        .server = xdp_world_addr("192.0.2.1", 3478),
        .peer = xdp_world_addr("2001:db8::99", 5060),
        .relayed = xdp_world_addr("2001:db8::1", (uint16_t)(50000 + number)),
        .channel = 0x4abc,
    };
}

struct relay_abi_entry table_world_entries[TABLE_WORLD_ENTRY_MAX];
uint32_t table_world_entry_count;

// Reads all of them as the kernel has them.
static void read_entries(const struct table_world *world)
{
    static uint32_t places[TABLE_WORLD_ENTRY_MAX];
    uint32_t next = 0;
    uint32_t count = xdp_paths_entry_count(&world->program.settings);

    assert_true(count <= TABLE_WORLD_ENTRY_MAX);
    table_world_entry_count = count;
    assert_int_equal(bpf_map_lookup_batch(world->program.paths_fd, NULL, &next, places,
                                          table_world_entries, &count, NULL),
                     0);
    assert_int_equal(count, table_world_entry_count);
}

// How many paths are in the map.
int table_world_count_paths(const struct table_world *world)
{
    int count = 0;

    read_entries(world);
    for (uint32_t i = 0; i < table_world_entry_count; i++) {
        count += table_world_entries[i].key.is_key;
    }
    return count;
}

// Written by hand, as a packet has it, not by what is tested.
struct relay_abi_key table_world_client_key(uint16_t number)
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

struct relay_abi_key table_world_peer_key(uint16_t number)
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

bool table_world_find(const struct table_world *world, struct relay_abi_key key,
                      struct relay_abi_path *out)
{
    read_entries(world);
    for (uint32_t i = 0; i < table_world_entry_count; i++) {
        if (memcmp(&table_world_entries[i].key, &key, sizeof key) == 0) {
            *out = table_world_entries[i].path;
            return true;
        }
    }
    return false;
}

struct relay_abi_path table_world_found(const struct table_world *world, struct relay_abi_key key)
{
    struct relay_abi_path path;

    assert_true(table_world_find(world, key, &path));
    return path;
}
