// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_board.h"

#include <string.h>

#include "log/log.h"

#define POST_NS (SECOND_NS / 10)

void tunnel_board_init(struct tunnel_board *board, const struct tunnel_crew *crew)
{
    *board = (struct tunnel_board){.lock = PTHREAD_MUTEX_INITIALIZER, .crew = crew};
}

static void fill(struct tunnel_snapshot *out, const struct tunnel_broker *broker)
{
    const struct revtun_gauges gauges = revtun_relay_gauges(broker->pairs.core);

    *out = (struct tunnel_snapshot){
        .core = *revtun_relay_stats(broker->pairs.core),
        .gauges =
            {
                .controls = gauges.controls,
                .pairs = broker->pairs.limits.pair_count,
                .pairs_free = gauges.pairs_free,
                .waiting = {gauges.waiting},
                .sessions = {gauges.sessions},
                .sessions_max = broker->pairs.limits.max_sessions,
                .strangers = broker->controls.stranger_count,
                .workers = broker->crew.worker_count,
                .is_draining = broker->is_draining,
                .one = 1,
            },
        .counts.handshakes_displaced = broker->controls.displaced_count,
        .counts.handshakes_crowded = broker->controls.crowded_count,
        .counts.controls_rested = broker->controls.rested_count,
    };
    memcpy(out->counts.handshakes_refused, broker->controls.refused,
           sizeof out->counts.handshakes_refused);
}

static void add_second(struct tunnel_snapshot *out, const struct tunnel_broker *broker,
                       struct now now)
{
    const struct tunnel_second *second = &broker->second;
    uint64_t *crowded = &out->core.refused[REVTUN_REFUSAL_SESSIONS - 1];

    *crowded += broker->pairs.crowded_count;
    if (!tunnel_second_is_open(second)) {
        return;
    }
    const struct revtun_hub_gauges gauges = revtun_hub_gauges(second->hub);
    out->hub = *revtun_hub_stats(second->hub);
    out->hub.hub_clients_refused += second->crowded_count;
    out->gauges.waiting[1] = gauges.waiting;
    out->gauges.sessions[1] = gauges.sessions;
    // Those that have proven themselves: the hub counts the others, too.
    out->gauges.agents = broker->controls.up_count > out->gauges.controls
                             ? broker->controls.up_count - out->gauges.controls
                             : 0;
    out->gauges.tunnels = gauges.services;
    out->gauges.ports = second->limits.port_count;
    out->gauges.ports_free = tunnel_second_ports_free(second, now);
    out->gauges.standing = gauges.standing;
    out->gauges.previews = second->previews->crowd.count;
    out->counts.previews_unknown = second->previews->unknown_count;
    out->counts.previews_late = second->previews->late_count;
    out->counts.previews_displaced = second->previews->displaced_count;
    out->gauges.sealed = second->sealed.crowd.count;
    out->counts.sealed_failed = second->sealed.failed_count;
    out->counts.sealed_late = second->sealed.late_count;
    out->counts.sealed_displaced = second->sealed.displaced_count;
    out->counts.sealed_crowded = second->sealed.crowded_count;
}

void tunnel_board_post_last(struct tunnel_board *board, const struct tunnel_broker *broker,
                            struct now now)
{
    struct tunnel_snapshot snapshot;

    fill(&snapshot, broker);
    add_second(&snapshot, broker, now);
    pthread_mutex_lock(&board->lock);
    board->snapshot = snapshot;
    pthread_mutex_unlock(&board->lock);
    board->posted_ns = now.mono_ns;
}

uint64_t tunnel_board_post(struct tunnel_board *board, const struct tunnel_broker *broker,
                           struct now now)
{
    if (now.mono_ns < board->posted_ns + POST_NS) {
        return board->posted_ns + POST_NS;
    }
    tunnel_board_post_last(board, broker, now);
    return NEVER;
}

// The workers' own, which go on while the broker's thread sleeps.
static void add_workers(struct tunnel_snapshot *out, const struct tunnel_crew *crew)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < crew->worker_count; i++) {
        const struct tunnel_worker_counts *counts = &crew->workers[i].counts;

        bytes += atomic_load_explicit(&counts->bytes, memory_order_relaxed);
        out->counts.bytes_spliced +=
            atomic_load_explicit(&counts->spliced_bytes, memory_order_relaxed);
        out->gauges.pipes += atomic_load_explicit(&counts->pipes, memory_order_relaxed);
    }
    // The worker writes one after the other.
    out->counts.bytes_copied =
        bytes > out->counts.bytes_spliced ? bytes - out->counts.bytes_spliced : 0;
}

void tunnel_board_read(struct tunnel_board *board, struct tunnel_snapshot *out)
{
    pthread_mutex_lock(&board->lock);
    *out = board->snapshot;
    pthread_mutex_unlock(&board->lock);
    add_workers(out, board->crew);
    out->counts.log_lines_dropped = log_dropped_count();
    out->process = io_process_read();
}
