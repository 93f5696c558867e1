// SPDX-License-Identifier: Apache-2.0
// What a relay of version 2 holds for its agents and their tunnels, for whoever looks.
//
// Tunnels and control connections are walked through by their index, from 0 up to the count, of
// which many may be nobody's. What an entry borrows holds until the next event.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "base/macro.h"
#include "base/pool.h"
#include "revtun/revtun_hub.h"

// A tunnel. Without a control connection it is kept, for a while; or it has ended, and is there
// for its last sessions alone, when its port and hosts are others'.
struct revtun_hub_look {
    struct pool_ref tunnel; // it alone, of all that there have been
    struct bytes owner;     // the agent, as the access list names it
    struct bytes name;
    uint16_t port; // 0: it has hosts, or has ended
    bool has_ended;
    struct addr agent;         // where its control connection comes from; ADDR_NONE: it has none
    uint64_t agent_up_ns;      // since when that is up
    uint64_t kept_until_ns;    // when a kept one ends; NEVER: it is not kept
    uint32_t standing;         // connections that stand by at the control connection, for all of
                               // its tunnels
    uint32_t waiting;          // clients
    uint32_t sessions;         // joined with a data connection
    uint32_t max;              // clients at a time; 0: no limit of its own
    uint64_t waiting_since_ns; // of who has waited for the longest time; NEVER: nobody does
};

uint32_t revtun_hub_look_count(const struct revtun_hub *hub);
// False, with *out untouched, when nobody's. It takes as long as clients wait and connections
// stand.
MUST_USE bool revtun_hub_look(const struct revtun_hub *hub, uint32_t index,
                              struct revtun_hub_look *out);
// The index of the tunnel that has a port, or that a client is for who asks for a host; POOL_NONE:
// none has.
uint32_t revtun_hub_look_port(const struct revtun_hub *hub, uint16_t port);
uint32_t revtun_hub_look_host(const struct revtun_hub *hub, struct bytes host);
// Writes the hosts of a tunnel with commas between them, as many as fit into `max` bytes; one that
// does not is "...".
void revtun_hub_look_hosts_write(const struct revtun_hub *hub, uint32_t index, size_t max,
                                 struct wr *wr);

// A control connection whose agent has proven who it is.
struct revtun_hub_look_link {
    struct bytes owner;
    struct addr peer;
    uint64_t up_ns;
    uint32_t standing;
    uint32_t tunnels;
};

uint32_t revtun_hub_look_link_count(const struct revtun_hub *hub);
// False, with *out untouched, when nobody's.
MUST_USE bool revtun_hub_look_link(const struct revtun_hub *hub, uint32_t index,
                                   struct revtun_hub_look_link *out);
