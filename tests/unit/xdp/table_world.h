// SPDX-License-Identifier: Apache-2.0
// A program with its table of paths in the network of xdp_world.h, and what is in that table as the
// kernel has it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "uapi/relay_abi.h"
#include "xdp/xdp_table.h"

enum {
    TABLE_WORLD_CHANNELS = 64,
    TABLE_WORLD_MANY = 4096, // channels, in one test
    TABLE_WORLD_SLOTS = 2 * TABLE_WORLD_CHANNELS,
    TABLE_WORLD_HOPS = 16,
    TABLE_WORLD_ENTRY_MAX = 4 * TABLE_WORLD_MANY + RELAY_ABI_PROBES,
};

struct table_world {
    struct xdp_program program;
    struct xdp_table table;
};

// With the program at near0 and near1.
void table_world_open(struct table_world *world);
void table_world_close(struct table_world *world);

// A client on IPv4 and a peer on IPv6, told apart from others by a number.
struct xdp_binding table_world_binding(uint16_t number);
// Their keys, written by hand as a packet has them, not by what is tested.
struct relay_abi_key table_world_client_key(uint16_t number);
struct relay_abi_key table_world_peer_key(uint16_t number);

// The table of paths, as it was read last.
extern struct relay_abi_entry table_world_entries[TABLE_WORLD_ENTRY_MAX];
extern uint32_t table_world_entry_count;

// Each of these reads it anew.

// How many paths are in it.
int table_world_count_paths(const struct table_world *world);
bool table_world_find(const struct table_world *world, struct relay_abi_key key,
                      struct relay_abi_path *out);
// Which must be there.
struct relay_abi_path table_world_found(const struct table_world *world, struct relay_abi_key key);
