// SPDX-License-Identifier: Apache-2.0
// The whole state of a relay, for the files of this room only.
#pragma once

#include "base/heap.h"
#include "revtun/revtun_outbox.h"
#include "revtun/revtun_pairs.h"
#include "revtun/revtun_relay.h"
#include "revtun/revtun_sources.h"
#include "revtun/revtun_tunnel.h"

// A control connection, as long as it has something to lose.
struct revtun_control {
    uint64_t conn;
    struct addr peer;
    struct addr origin; // of the peer
    struct revtun_line_watch watch;
    uint32_t first_tunnel;     // chain of what it holds; of version 1 always one
    bool is_other_family_told; // once is enough for the log
    uint8_t zero[7];
};

struct revtun_relay {
    struct revtun_config config; // its host is the copy below
    uint8_t host[REVTUN_CONFIG_HOST_MAX];
    struct revtun_pairs pairs; // their holders are indices of tunnels
    struct pool controls;
    struct pool tunnels;
    struct pool clients;
    struct revtun_sources sources; // of clients that wait
    uint32_t waiting_count;
    uint32_t first_left; // chain of tunnels that nobody holds, whose clients are to be told
    struct heap timers;  // by index of a tunnel
    struct revtun_outbox outbox;
    struct revtun_stats stats;
};
