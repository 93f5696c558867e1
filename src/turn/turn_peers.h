// SPDX-License-Identifier: Apache-2.0
// Which peers a client may reach through the relay (RFC 8656 section 21.2: the relay must not be a
// way into what only its host can reach).
//
// Rules are prefixes; the longest one that contains an address decides. They are kept as a binary
// trie, so that a look-up takes at most one step per bit, however many rules there are.
//
// An IPv6 address that carries an IPv4 address inside is one and the same as that one, in rules as
// in peers: mapped (::ffff:0:0/96), compatible (::/96), NAT64 (64:ff9b::/96), 6to4 (2002::/16), and
// Teredo (2001::/32), which hides it behind inverted bits.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "turn/turn_config.h"
#include "turn/turn_refusal.h"

struct turn_peers_node {
    uint32_t child[2]; // index of the node for the next bit, or 0
    uint16_t verdict;  // 0: none here; else one plus an enum turn_refusal
    bool is_own;       // the whole prefix leads to this host, whatever the verdict is
};

struct turn_peers {
    struct turn_peers_node *nodes; // 1 is the root for IPv4, 2 for IPv6
    uint32_t node_count;
    uint32_t capacity;
};

size_t turn_peers_size(const struct turn_config *config);
// `memory` is zeroed and aligned for uint64_t. Of the configuration the rules and own addresses
// count; nothing of it is kept.
void turn_peers_init(struct turn_peers *peers, void *memory, const struct turn_config *config);

// Both say the same of every peer; it may be that they do too when this is false.
bool turn_peers_equal(const struct turn_peers *one, const struct turn_peers *other);

// TURN_REFUSAL_NONE when a peer may be reached; else why not. With `reaches_private`, private,
// shared and unique local addresses are not refused for being that.
enum turn_refusal turn_peers_denial(const struct turn_peers *peers, const struct addr *peer,
                                    bool reaches_private);

// Of 6to4 or Teredo, through whose gateways packets could be made to go round and grow: neither
// peers nor clients may have such an address (RFC 8656 section 21.4).
bool turn_peers_is_tunnel(const struct addr *addr);

// The address leads to this host: one of its own, or a loopback address.
bool turn_peers_is_own(const struct turn_peers *peers, const struct addr *peer);
