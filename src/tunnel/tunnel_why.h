// SPDX-License-Identifier: Apache-2.0
// Why a service is not reachable, in words for people: of a port of the relay; of an address that a
// server, an agent or a client has; of the name of a tunnel or an agent, or of a host
// (tunnel_why_agents.h). Each finding says what it is, why, and what to do about it.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/now.h"
#include "revtun/revtun_config.h"
#include "revtun/revtun_hub.h"
#include "revtun/revtun_relay.h"
#include "tunnel/tunnel_ledger.h"
#include "tunnel/tunnel_refusals.h"

enum {
    TUNNEL_WHY_SERVERS_MAX = 32,  // of one address, that are told; likewise agents, and tunnels
    TUNNEL_WHY_TEXT_MAX = 131072, // bytes that hold whatever is written
};

// Where it looks.
struct tunnel_why {
    const struct revtun_config *limits;
    const struct revtun_relay *core;
    struct revtun_hub *hub; // NULL: there is version 1 alone
    const struct revtun_hub_config *hub_limits;
    const struct tunnel_ledger *ledger;
    const struct tunnel_refusals *refusals;
    struct now now;
};

void tunnel_why_port_write(struct wr *wr, const struct tunnel_why *why, uint16_t port);
// Of all ports of the address.
void tunnel_why_address_write(struct wr *wr, const struct tunnel_why *why,
                              const struct addr *address);
