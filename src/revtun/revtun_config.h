// SPDX-License-Identifier: Apache-2.0
// What a relay's core is told when it is made.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    REVTUN_CONFIG_HOST_MAX = 255, // bytes; a DNS name has 253 at most
};

// From where a server may dial its pair's reverse port, since version 1 has no other proof.
enum revtun_config_policy {
    REVTUN_CONFIG_SAME_IP, // from where its control connection comes from: revtun_origin.h
    REVTUN_CONFIG_ANY,     // from everywhere, as the original has it
};

struct revtun_config {
    uint16_t control_port; // the ports of all pairs follow it: revtun_pairs.h
    uint32_t pair_count;   // may be 0: then every control connection is one too many
    struct bytes host;     // told to servers as it is; copied; revtun_line_is_host()
    enum revtun_config_policy reverse_policy;
    uint64_t pending_timeout_ns; // how long a client waits for its reverse connection; 0: for ever

    // Clients from their accept to the end of their session; each at least 1. The relay needs two
    // descriptors for each.
    uint32_t max_sessions;
    uint32_t max_sessions_per_pair;
    // Those of them that wait for a reverse connection; each at least 1.
    uint32_t max_waiting;
    uint32_t max_waiting_per_pair;
    uint32_t max_waiting_per_address; // that is: per origin
};

// The original's numbers, and limits that a good day does not meet: all fields but `host`.
struct revtun_config revtun_config_default(void);

// The numbers can be served: all ports are there, and no limit is 0.
bool revtun_config_is_sound(const struct revtun_config *config);

// A relay that was made with the one may go on with the other: it has the same ports, and memory is
// for as many clients.
bool revtun_config_may_follow(const struct revtun_config *next, const struct revtun_config *former);
