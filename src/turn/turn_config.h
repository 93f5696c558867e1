// SPDX-License-Identifier: Apache-2.0
// What a TURN server is told when it is made.
#pragma once

#include "base/addr.h"
#include "base/bytes.h"
#include "base/cidr.h"

enum {
    TURN_CONFIG_REALM_MAX = 127,    // bytes; RFC 8489 section 14.9 allows 128 characters
    TURN_CONFIG_USERNAME_MAX = 508, // bytes; RFC 8489 section 14.3
    TURN_CONFIG_SECRET_MAX = 128,   // bytes
    TURN_CONFIG_SECRET_COUNT = 8,   // secrets for TURN REST that are good at the same time
    TURN_CONFIG_SOFTWARE_MAX = 127, // bytes; RFC 8489 section 14.14 allows 128 characters
    TURN_CONFIG_SHARDS_MAX = 1024,  // servers that serve one relay
};

struct turn_key_pair;

// A user whose password is known beforehand. All of it is copied, and wiped with the policy.
struct turn_user {
    struct bytes name; // 1 to TURN_CONFIG_USERNAME_MAX bytes; of equal names the last one counts
    struct bytes password;
    const struct turn_key_pair
        *keys; // made of the password, of which nothing is known then; or NULL
};

// Allows or denies peers. The longest prefix that contains a peer decides; of equally long ones
// these rules stand above the built-in ones, and denying above allowing.
struct turn_peer_rule {
    struct cidr cidr;
    bool is_allowed;
};

struct turn_commons;
struct turn_policy;

struct turn_config {
    struct addr public_ip4; // put into XOR-RELAYED-ADDRESS; ADDR_NONE: no IPv4 relaying
    struct addr public_ip6; // likewise; at least one of the two is given
    uint16_t lowest_port;   // relayed ports, both ends included
    uint16_t highest_port;

    // Several servers, the shards, serve one relay; a client always speaks to the same one. What
    // they have in common lies in the commons (turn_commons.h), which the caller makes before them.
    uint32_t shard_index;         // 0 to shard_count - 1
    uint32_t shard_count;         // 1 to TURN_CONFIG_SHARDS_MAX
    struct turn_commons *commons; // NULL: the one server has its own inside

    // What may change while the server serves (turn_policy.h says what that is), which several
    // servers may share. NULL: the server has its own inside, made of what follows.
    const struct turn_policy *policy;

    struct bytes realm; // 1 to TURN_CONFIG_REALM_MAX bytes, copied
    const struct turn_user *users;
    size_t user_count;
    const struct bytes
        *auth_secrets;         // of TURN REST, copied; each 1 to TURN_CONFIG_SECRET_MAX bytes
    size_t auth_secret_count;  // up to TURN_CONFIG_SECRET_COUNT
    struct bytes stamp_secret; // of Firezone's portal, copied; empty: not served
    const struct turn_peer_rule *rules;
    size_t rule_count;

    // Where sockets are bound, for packets that come back to the relay itself; unspecified, or
    // ADDR_NONE, when that is no address of its own.
    struct addr bind_ip4;
    struct addr bind_ip6;

    // Where clients are listened to, on all own addresses: never a peer, whatever the rules say, or
    // packets could be made to go round for ever. 0: unknown.
    uint16_t listen_port;
    // Addresses of this host, which its other services listen at: denied as peers unless a rule
    // allows just them.
    const struct addr *own_addrs;
    size_t own_addr_count;

    // Whoever carries out the commands has a fast path, and is told what goes over it
    // (TURN_COMMAND_BIND, TURN_COMMAND_UNBIND).
    bool has_fast_path;

    struct bytes software; // sent as SOFTWARE, copied; empty: none is sent
    // An unauthenticated response has at most so many times the bytes of its request; what would
    // have more is not sent.
    uint32_t max_amplification;
    // Requests of strangers, of each kind (turn_stranger.h), that all shards together answer in a
    // second; 0: all.
    uint64_t unauthenticated_rate;

    uint32_t max_allocations; // all at once in all shards together; each at least 1
    uint32_t max_permissions;
    uint32_t max_channels;
    uint32_t max_reservations;
    uint32_t allocations_per_user; // reservations count like allocations
    uint32_t permissions_per_allocation;
    uint32_t channels_per_allocation;

    // Of each allocation and direction, in a second; 0: no limit. At most BUCKET_RATE_MAX.
    uint64_t max_pps; // packets
    uint64_t max_bps; // bytes of application data

    uint32_t min_lifetime_s;     // shortest lifetime granted; RFC 8656 section 3.2 has 600
    uint32_t default_lifetime_s; // granted when the client names none
    uint32_t max_lifetime_s;     // longest lifetime granted
};

// The numbers that the RFC and common sense give: all fields but addresses, realm and users.
struct turn_config turn_config_default(void);
