// SPDX-License-Identifier: Apache-2.0
// What a worker has counted at its sockets, beside the protocol's own counters.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/metric.h"

#define RELAY_STATS(X)                                                                             \
    X(sends_blocked, "packets", "Not sent: the socket's buffer or the device's queue was full.")   \
    X(sends_refused, "packets", "Not sent: no route, a firewall, or another error.")               \
    X(ttls_exceeded, "packets", "Not sent: their time to live had run out.")                       \
    X(hand_overs_lost, "packets", "Not handed to another worker, whose mailbox was full.")         \
    X(receives_failed, "receives", "Receiving failed for want of memory.")                         \
    X(receives_truncated, "packets", "Received and dropped: longer than a datagram can be.")       \
    X(receives_portless, "packets", "Received and dropped: from port 0.")                          \
    X(errors_cleared, "errors", "Pending errors of sockets that receiving met.")                   \
    X(drops_from_clients, "packets",                                                               \
      "Dropped by the kernel at listening sockets, whose buffers were full; trains count once.")   \
    X(drops_from_peers, "packets",                                                                 \
      "Dropped by the kernel at relayed sockets, whose buffers were full; trains count once.")

enum { RELAY_STATS_TIME_COUNT = 11 }; // bounds of histograms of time

// As Firezone has them: from 5 microseconds to 10 milliseconds. In nanoseconds.
extern const struct histogram_bounds relay_stats_times;

struct relay_stats {
    RELAY_STATS(METRIC_FIELD)
    // What follows is not in relay_stats_metrics[], but histograms of relay_stats_times.
    uint64_t waits[HISTOGRAM_LEN(RELAY_STATS_TIME_COUNT)]; // of packets: from waking to sending
    uint64_t turns[HISTOGRAM_LEN(RELAY_STATS_TIME_COUNT)]; // of the loop, from waking to waiting
    uint64_t full_turns[HISTOGRAM_LEN(RELAY_STATS_TIME_COUNT)]; // that had all events they may have
};

enum { RELAY_STATS_COUNT = offsetof(struct relay_stats, waits) / sizeof(uint64_t) };

extern const struct metric relay_stats_metrics[RELAY_STATS_COUNT];

// Logs every counter that is not zero, as one line.
void relay_stats_log(const char *message, const struct metric *metrics, size_t count,
                     const void *counters);
