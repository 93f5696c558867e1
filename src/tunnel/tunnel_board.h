// SPDX-License-Identifier: Apache-2.0
// The numbers of the relay, where the first thread puts them and others read them.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/now.h"
#include "io/io_process.h"
#include "revtun/revtun_hub_stats.h"
#include "revtun/revtun_stats.h"
#include "tunnel/tunnel_broker.h"

// All fields are uint64_t, so that tunnel_metrics.h can name them.
struct tunnel_snapshot {
    struct revtun_stats core;
    struct revtun_hub_stats hub; // of version 2
    struct {
        uint64_t controls; // control connections with a pair
        uint64_t pairs;    // of ports
        uint64_t pairs_free;
        uint64_t waiting[2]; // clients, of version 1 and of version 2
        uint64_t sessions[2];
        uint64_t agents;  // control connections of version 2
        uint64_t tunnels; // of agents
        uint64_t ports;   // that these may have
        uint64_t ports_free;
        uint64_t standing;     // connections that stand by, or are asked for
        uint64_t previews;     // connections of which nobody knows yet what they are
        uint64_t sealed;       // data connections in TLS, before their preface
        uint64_t sessions_max; // those that wait included, of both versions
        uint64_t strangers;    // control connections that are in their handshake, or being closed
        uint64_t workers;
        uint64_t pipes; // lent out
        uint64_t is_draining;
        uint64_t one;
    } gauges;
    struct {
        uint64_t bytes_copied;
        uint64_t bytes_spliced;
        uint64_t handshakes_refused[IO_TLS_END_KIND_COUNT];
        uint64_t handshakes_displaced;
        uint64_t previews_unknown;
        uint64_t previews_late;
        uint64_t previews_displaced;
        uint64_t sealed_failed;
        uint64_t sealed_late;
        uint64_t sealed_displaced;
        uint64_t sealed_crowded;
        uint64_t handshakes_crowded;
        uint64_t controls_rested;
        uint64_t log_lines_dropped;
    } counts;
    struct io_process process;
};

struct tunnel_board {
    const struct tunnel_crew *crew;
    pthread_mutex_t lock;
    struct tunnel_snapshot snapshot; // of the last posting; without what any thread can ask for
    uint64_t posted_ns;
};

// The crew outlives it.
void tunnel_board_init(struct tunnel_board *board, const struct tunnel_crew *crew);

// Puts the broker's numbers there, if the last ones have been there for a while; to be called after
// each turn of the loop. When it is to be called next at the latest (monotonic ns), or NEVER. For
// the broker's thread.
uint64_t tunnel_board_post(struct tunnel_board *board, const struct tunnel_broker *broker,
                           struct now now);
// The same at once, when the broker has stopped.
void tunnel_board_post_last(struct tunnel_board *board, const struct tunnel_broker *broker,
                            struct now now);
// For any thread. What it tells is a tenth of a second old at most, if the broker's thread lives.
void tunnel_board_read(struct tunnel_board *board, struct tunnel_snapshot *out);
