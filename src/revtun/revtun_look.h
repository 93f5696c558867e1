// SPDX-License-Identifier: Apache-2.0
// What a relay of version 1 holds for one pair of ports, for whoever looks.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macro.h"
#include "revtun/revtun_relay.h"

struct revtun_look {
    struct addr server;        // where its control connection comes from
    uint32_t waiting;          // clients
    uint32_t sessions;         // joined with a reverse connection
    uint32_t outstanding;      // announced, and no reverse connection has come yet
    uint64_t waiting_since_ns; // of who has waited for the longest time; NEVER: nobody does
};

// The pair is one of the relay's (asserted). False, with *out untouched, when no server has it.
MUST_USE bool revtun_look_pair(const struct revtun_relay *relay, uint32_t pair,
                               struct revtun_look *out);
