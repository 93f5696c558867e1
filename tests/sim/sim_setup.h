// SPDX-License-Identifier: Apache-2.0
// What kind of world a seed makes: the servers' configuration and the manners of the system.
#pragma once

#include "support/rng.h"
#include "turn/turn_config.h"

enum {
    SIM_SETUP_USERS = 3,
    SIM_SETUP_RULES = 12,
    SIM_SETUP_SECRETS = 2,
    SIM_SETUP_OWN = 4,
    SIM_SETUP_SHARDS = 4,
    SIM_SETUP_CLIENTS = 10,
    SIM_SETUP_ALLOCATIONS = 16, // the most that a configuration here has
    SIM_SETUP_PERMISSIONS = 64,
    SIM_SETUP_CHANNELS = 64,
    SIM_SETUP_RESERVATIONS = 8,
};

struct sim_setup {
    struct turn_config config; // its spans lie in this struct or are static
    struct turn_user users[SIM_SETUP_USERS];
    struct turn_peer_rule rules[SIM_SETUP_RULES];
    struct bytes secrets[SIM_SETUP_SECRETS];
    struct addr own[SIM_SETUP_OWN];
    uint8_t realm[TURN_CONFIG_REALM_MAX];
    struct addr listen_ip4;
    struct addr listen_ip6;
    uint64_t lateness_ns;          // how much later than due the timer fires
    unsigned port_refused_percent; // of the ports: not to be had, as others hold them
    unsigned all_refused_percent;  // of the openings: the system has nothing left
    unsigned icmp_percent;         // of what comes to a peer: answered by an error
    unsigned client_count;
    unsigned rounds; // what each client does before it stops
};

// *setup stays where it is.
void sim_setup_init(struct sim_setup *setup, struct rng *rng);
// Changes what may change while servers serve.
void sim_setup_change(struct sim_setup *setup, struct rng *rng);
