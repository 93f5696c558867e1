// SPDX-License-Identifier: Apache-2.0
// The relay's own addresses as peers: two clients of one relay that talk to each other. Their
// packets turn around in here, so that it works behind any NAT and whatever the rules say. Where
// the two belong to different shards, one shard hands them over to the other.
//
// An own address is a public or a bound one. At a port that is relayed now it leads to that
// allocation; at any other it is a peer like others, which the rules deny unless an operator has
// allowed just this address.
#pragma once

#include <stdint.h>

#include "base/addr.h"

struct turn_server;

// True for an own address; *peer then has the public one in its place, by which clients know it.
bool turn_hairpin_is_own(const struct turn_server *server, struct addr *peer);

// The live allocation of this shard that relays at an own address and port, or POOL_NONE.
uint32_t turn_hairpin_find(const struct turn_server *server, const struct addr *peer);

// The shard whose allocation relays at an own address and port, or TURN_COMMONS_NO_SHARD.
uint32_t turn_hairpin_shard(const struct turn_server *server, const struct addr *peer);

// The relay's own listening port: never a peer. Checked for each packet, since a permission says
// nothing of ports.
bool turn_hairpin_is_listener(const struct turn_server *server, const struct addr *peer);

// An own address at a port that is not relayed is allowed by the rules.
bool turn_hairpin_is_allowed(const struct turn_server *server, const struct addr *peer);
