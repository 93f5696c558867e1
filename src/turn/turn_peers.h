// SPDX-License-Identifier: Apache-2.0
// Which peers a client may reach through the relay (RFC 8656 section 21.1.4: the relay must not be
// a way into what only its host can reach).
//
// Rules are prefixes; the longest one that contains an address decides. They are kept as a binary
// trie, so that a look-up takes at most one step per bit, however many rules there are. An IPv4
// address and the IPv6 address that maps it are one and the same here, in rules as in peers.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "turn/turn_config.h"

struct turn_peers_node {
    uint32_t child[2]; // index of the node for the next bit, or 0
    uint32_t verdict;  // 0: none here; else one plus the index in the room's list of reasons
};

struct turn_peers {
    struct turn_peers_node *nodes; // 1 is the root for IPv4, 2 for IPv6
    uint32_t node_count;
    uint32_t capacity;
};

size_t turn_peers_size(const struct turn_peer_rule *rules, size_t count);
// `memory` is zeroed and aligned for uint64_t.
void turn_peers_init(struct turn_peers *peers, void *memory, const struct turn_peer_rule *rules,
                     size_t count);

// NULL when a peer may be reached; else why not, as a noun for a log line: "a loopback address".
const char *turn_peers_denial(const struct turn_peers *peers, const struct addr *peer);
