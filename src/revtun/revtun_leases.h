// SPDX-License-Identifier: Apache-2.0
// The state of each public port: free, or leased to a tunnel, for which it is bound or rests
// (revtun_names.h says who gets which).
//
//      FREE --give--> BOUND --rest--> RESTING --wake--> BOUND
//       ^                                '-----forget---> FREE
//
// No step goes through all ports, but after a clock was set back.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/heap.h"
#include "base/siphash.h"
#include "base/table.h"
#include "revtun/revtun_holders.h"
#include "revtun/revtun_pattern.h"
#include "revtun/revtun_vacant.h"

#define REVTUN_LEASES_NONE UINT32_MAX // no port

_Static_assert(REVTUN_LEASES_NONE == REVTUN_VACANT_NONE, "no port is none everywhere");

enum revtun_leases_state {
    REVTUN_LEASES_FREE = 0,
    REVTUN_LEASES_RESTING,
    REVTUN_LEASES_BOUND,
};

// What rests stands in two lines, in the order in which it was left.
enum revtun_leases_line {
    REVTUN_LEASES_LINE_ALL,
    REVTUN_LEASES_LINE_HOLDER, // those of its holder
    REVTUN_LEASES_LINES,
};

// One for each port, at the index of the port.
struct revtun_lease {
    int64_t released_s; // when it began to rest
    uint64_t left;      // likewise, as a serial number: none was left when another one was
    struct {
        uint32_t newer, older;
    } lines[REVTUN_LEASES_LINES];
    uint32_t holder; // unless it is free
    uint8_t state;   // enum revtun_leases_state
    bool is_over;    // it rests, and has for long enough: so it is vacant
    uint8_t name_len;
    uint8_t name[REVTUN_NAME_MAX];
};

struct revtun_leases_config {
    uint16_t first_port;    // 1 to 65535
    uint16_t port_count;    // at least 1; the last port is at most 65535
    uint32_t lease_s;       // how long a port rests for its tunnel
    struct siphash_key key; // random, secret
};

struct revtun_leases {
    struct revtun_leases_config config;
    struct table by_name; // of leases that are not free
    struct revtun_holders holders;
    struct revtun_vacant vacant; // what is free, and what has rested for long enough
    struct heap ends;            // of leases that rest and are not over, in Unix time
    struct revtun_lease *at;
    struct revtun_holders_line resting;
    uint64_t left_count;
    int64_t settled_s; // the time for which `vacant` and `ends` are right
    uint32_t count;    // those that are not free
    uint64_t change_count;
};

// A tunnel, by its owner and its name.
struct revtun_leases_tunnel {
    struct bytes owner, name;
};

// Bytes of memory for so many ports, at least 1.
size_t revtun_leases_size(uint16_t port_count);
// `memory` is zeroed, aligned for uint64_t and has revtun_leases_size() bytes. All ports are free.
void revtun_leases_init(struct revtun_leases *leases, void *memory,
                        const struct revtun_leases_config *config);

// The owner is 1 to REVTUN_HOLDERS_OWNER_MAX bytes of visible ASCII, and the name is a name.
bool revtun_leases_is_tunnel(const struct revtun_leases_tunnel *tunnel);
// The port that a tunnel has, as its index, or NONE.
uint32_t revtun_leases_find(const struct revtun_leases *leases,
                            const struct revtun_leases_tunnel *tunnel);
struct bytes revtun_leases_owner(const struct revtun_leases *leases, uint32_t index);
struct bytes revtun_leases_name(const struct revtun_leases *leases, uint32_t index);
uint16_t revtun_leases_port(const struct revtun_leases *leases, uint32_t index);
// The index of a port, or NONE when it is not one of these.
uint32_t revtun_leases_index(const struct revtun_leases *leases, uint64_t port);

// The lease of a port that rests is over at a time. A clock that went back ends none.
bool revtun_leases_is_over(const struct revtun_leases *leases, const struct revtun_lease *lease,
                           int64_t wall_s);
// What has rested for long enough is vacant; it still is its tunnel's while nobody else takes it.
void revtun_leases_settle(struct revtun_leases *leases, int64_t wall_s);

// The state of a port, which is as the picture has it (asserted), is another one.
void revtun_leases_give(struct revtun_leases *leases, uint32_t index,
                        const struct revtun_leases_tunnel *tunnel); // which has none
void revtun_leases_rest(struct revtun_leases *leases, uint32_t index, int64_t since_s);
void revtun_leases_wake(struct revtun_leases *leases, uint32_t index);
void revtun_leases_forget(struct revtun_leases *leases, uint32_t index);
