// SPDX-License-Identifier: Apache-2.0
// All that the relay has counted, at one moment: of all workers, of the kernel's program, and what
// there is now.
#pragma once

#include <stdint.h>

#include "io/io_process.h"
#include "relay/relay_counts.h"
#include "relay/relay_worker.h"
#include "xdp/xdp_counts.h"

// What there is now, and may be at most.
struct relay_gauges {
    uint64_t allocations;
    uint64_t permissions;
    uint64_t channels;
    uint64_t reservations;
    uint64_t users;
    uint64_t ports_in_use;
    uint64_t max_allocations;
    uint64_t max_permissions;
    uint64_t max_channels;
    uint64_t ports;
    uint64_t workers;
    uint64_t late_workers; // that have not answered: of them there is what they posted last
    uint64_t is_draining;
    uint64_t xdp_interfaces; // by which the kernel relays
    uint64_t one;            // of what is told by labels alone
};

struct relay_flow {
    uint64_t packets;
    uint64_t bytes; // application data
};

// What several counters come to together: of the sockets' way and the kernel's where none is named.
// What turns round, from a client to another one, comes from a client and goes to one.
struct relay_sums {
    struct relay_flow from_clients;
    struct relay_flow to_clients;
    struct relay_flow kernel_to_clients;
    struct relay_flow by_sockets; // each packet once, as those of the next one
    struct relay_flow by_kernel;
    uint64_t binding_requests;
    uint64_t binding_responses;
    uint64_t binding_errors;
    uint64_t challenges; // 401 responses
    uint64_t strangers;  // requests that got one, or would have
    uint64_t withheld;   // the difference
    uint64_t credentials_refused;
    uint64_t processed; // packets of clients and peers that were relayed, and requests answered
    uint64_t dropped;   // packets of clients and peers
};

// All fields of all are uint64_t.
struct relay_snapshot {
    struct relay_counts counts; // of the sockets' way
    struct xdp_counts kernel;   // all zero when the kernel relays nothing
    struct relay_gauges gauges;
    struct relay_sums sums;
    struct io_process process;
};

// Computes the sums of what is in it.
void relay_snapshot_sum(struct relay_snapshot *snapshot);

// Takes one, in any thread, while the crew is open. It waits for the workers, but no longer than
// 200 ms, and no worker waits for it.
void relay_snapshot_take(struct relay_snapshot *out, const struct relay_worker_share *share);
