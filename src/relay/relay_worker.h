// SPDX-License-Identifier: Apache-2.0
// One worker: a TURN server, its sockets and the loop that joins them. Each runs in a thread of its
// own, and others reach it by its mailbox alone.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/daemon_pulse.h"
#include "io/io_loop.h"
#include "relay/relay_board.h"
#include "relay/relay_listen.h"
#include "relay/relay_mailbox.h"
#include "relay/relay_offload.h"
#include "relay/relay_policy.h"
#include "relay/relay_refusals.h"
#include "relay/relay_socket.h"
#include "relay/relay_spans.h"
#include "relay/relay_survey.h"
#include "relay/relay_traffic.h"
#include "turn/turn_server.h"

// What a worker has in common with the others; it outlives them.
struct relay_worker_share {
    struct relay_listen_group group;
    struct relay_offload *offload;
    struct turn_commons *commons;
    struct relay_mailbox *mailboxes; // of all workers, by number
    struct relay_board *board;
    struct relay_refusals *refusals; // of all workers, by number
    struct relay_survey *survey;
    struct daemon_pulse *pulse;
    struct relay_policy *policy;
    uint32_t fitting_allocations; // as the configuration has it
};

struct relay_worker {
    uint32_t index; // among all
    const struct relay_worker_share *share;
    struct io_loop loop;
    struct turn_server *server;
    void *server_memory;
    size_t server_memory_len;
    struct relay_listen listen;
    struct relay_socket_table sockets;
    struct relay_traffic traffic;
    struct relay_spans spans; // for the telemetry thread
    struct io_watch letters;  // of the mailbox
    bool is_over;             // it was told to stop
};

// Opens everything, the listening sockets included, and logs what fails. Workers are opened in
// their order, from 0. 0 or -errno.
MUST_USE int relay_worker_open(struct relay_worker *worker, uint32_t index,
                               const struct relay_worker_share *share);
// Closing twice, or a worker whose opening failed, does nothing.
void relay_worker_close(struct relay_worker *worker);

// Serves until RELAY_MAILBOX_STOP comes. 0 or -errno, which is logged.
MUST_USE int relay_worker_run(struct relay_worker *worker);

// What it has counted so far; for its own thread, or when it does not run.
struct relay_counts relay_worker_counts(const struct relay_worker *worker);
