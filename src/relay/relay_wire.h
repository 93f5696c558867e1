// SPDX-License-Identifier: Apache-2.0
// At which addresses packets for the relay arrive on the wire, which the kernel's program compares.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "relay/relay_config.h"
#include "xdp/xdp_program.h"

// Where peers' packets arrive. Behind a one-to-one NAT the sockets are bound to no address in
// particular; then it is the inner address that is given, or that of the default route. ADDR_NONE
// when the relay does not have the family, or there is no such route.
struct addr relay_wire_relayed(const struct relay_config *config, enum addr_family family);

// The sockets of the family are bound to no address in particular: each peer's route tells theirs.
bool relay_wire_is_routed(const struct relay_config *config, enum addr_family family);

// Where packets arrive, of peers at `relayed` (IPv4, IPv6), then of clients; how many addresses
// that are. All others go by the sockets.
size_t relay_wire_list(const struct addr relayed[2], const struct relay_config *config,
                       struct addr own[XDP_PROGRAM_OWN_MAX]);
