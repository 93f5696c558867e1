// SPDX-License-Identifier: Apache-2.0
// By which host agents and clients reach this relay.
#pragma once

#include "tunnel/tunnel_config.h"

enum { TUNNEL_REACH_MAX = REVTUN_CONFIG_HOST_MAX + 1 }; // bytes with the end

// What the operator says (--myhost), or else the address at which it listens, if that is one, or
// else the address of the default route, or of a network that this host is in, or else what
// --myhost is if nobody says anything. An IPv6 address has no brackets. False: it is a loopback
// address, by which nobody else reaches this host, and the operator has not said it.
bool tunnel_reach_host(const struct tunnel_config *config, char out[TUNNEL_REACH_MAX]);
