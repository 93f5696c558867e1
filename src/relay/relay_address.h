// SPDX-License-Identifier: Apache-2.0
// Which addresses the relay serves, when the operator has not said all of it.
//
// For each family: a public address that is given counts; else a specific bind address is public
// too. If that gives none at all, the addresses of the default route serve; without a default
// route the first ones of this host's interfaces; and if it has no network at all, the loopback
// address serves this host alone.
#pragma once

#include <stdbool.h>

#include "relay/relay_config.h"

// Fills in config->public_ip4 and public_ip6, of which at least one is an address afterwards, lists
// the host's own addresses, and logs what it chose.
void relay_address_choose(struct relay_config *config);

// Lists the host's own addresses in config->own_addrs, the public ones among them, and logs what
// fails.
void relay_address_list_own(struct relay_config *config);

// The local address for relayed sockets of a family: the bind address or, when that is
// unspecified and the public address is this host's, the public one, so that peers always see
// packets come from it.
struct addr relay_address_relayed(const struct relay_config *config, enum addr_family family);

// Whether sockets of this host can be bound to the address.
bool relay_address_is_local(const struct addr *addr);
