// SPDX-License-Identifier: Apache-2.0
// What a relay's core has counted since it was made.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/metric.h"
#include "revtun/revtun_refusal.h"

// X(name, unit, help), one line per counter: the struct and its description cannot drift.
#define REVTUN_STATS(X)                                                                            \
    X(controls_linked, "connections", "Control connections that got a pair of ports.")             \
    X(controls_full, "connections", "Control connections closed since all pairs were taken.")      \
    X(controls_spoke, "connections", "Control connections closed since the server sent a line.")   \
    X(controls_lost, "connections", "Control connections with a pair that were lost.")             \
    X(clients_waiting, "connections", "Clients that began to wait for a reverse connection.")      \
    X(clients_unlinked, "connections", "Clients of a pair that no server had.")                    \
    X(clients_reset, "connections", "Clients reset by themselves while they waited.")              \
    X(clients_timed_out, "connections", "Clients closed since no reverse connection came.")        \
    X(clients_cut, "connections", "Clients closed with their control connection as they waited.")  \
    X(reverses_unlinked, "connections", "Reverse connections to a pair that no server had.")       \
    X(reverses_foreign, "connections", "Reverse connections from elsewhere than their server.")    \
    X(reverses_other_family, "connections", "Let in from an address that cannot be compared.")     \
    X(reverses_unexpected, "connections", "Reverse connections for which no client waited.")       \
    X(sessions_joined, "sessions", "Sessions that began.")                                         \
    X(sessions_ended, "sessions", "Sessions that ended.")                                          \
    X(sessions_cut, "sessions", "Sessions that lost their control connection.")                    \
    X(announcements, "lines", "Clients announced as they came.")                                   \
    X(announcements_again, "lines", "Announcements repeated for clients that waited long.")        \
    X(announcements_withheld, "lines", "Not sent, since very many were under way.")

struct revtun_stats {
    REVTUN_STATS(METRIC_FIELD)
    uint64_t refused[REVTUN_REFUSAL_END - 1]; // by refusal, REVTUN_REFUSAL_NONE left out
};

enum { REVTUN_STATS_COUNT = sizeof(struct revtun_stats) / sizeof(uint64_t) };

extern const struct metric revtun_stats_metrics[REVTUN_STATS_COUNT];

// The counter of a refusal, which is one.
uint64_t *revtun_stats_refused(struct revtun_stats *stats, enum revtun_refusal refusal);
