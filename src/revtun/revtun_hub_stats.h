// SPDX-License-Identifier: Apache-2.0
// What a relay's core of version 2 has counted since it was made.
#pragma once

#include <stdint.h>

#include "base/metric.h"
#include "revtun/revtun_denial.h"

// X(name, unit, help), one line per counter: the struct and its description cannot drift.
#define REVTUN_HUB_STATS(X)                                                                        \
    X(agents_welcomed, "connections", "Control connections of agents that proved themselves.")     \
    X(agents_denied, "connections", "Control connections of agents that did not.")                 \
    X(agents_unknown, "connections", "Of these, those of agents that are not on the list.")        \
    X(agents_unproven, "connections", "Of these, those whose proof was wrong.")                    \
    X(agents_crowded, "connections", "Of agents that had as many as one may.")                     \
    X(agents_lost, "connections", "Control connections of agents that ended, however.")            \
    X(agents_silent, "connections", "Control connections of agents closed for silence.")           \
    X(lines_bad, "lines", "Lines of agents that were malformed, unknown or wrong.")                \
    X(binds_done, "requests", "Names bound, anew or again.")                                       \
    X(binds_refused, "requests", "Requests for names that were refused.")                          \
    X(hub_clients_waiting, "connections", "Clients that began to wait for an agent.")              \
    X(hub_clients_unbound, "connections", "Clients reset since nobody has bound what they want.")  \
    X(hub_clients_refused, "connections", "Clients reset since a limit was met.")                  \
    X(hub_clients_denied, "connections", "Clients reset since their agent refused them.")          \
    X(hub_clients_left, "connections", "Clients that went away while they waited.")                \
    X(hub_clients_timed_out, "connections", "Clients closed since their agent did not come.")      \
    X(hub_clients_cut, "connections", "Clients closed since their name was unbound.")              \
    X(hub_sessions_joined, "sessions", "Sessions that began.")                                     \
    X(hub_sessions_standing, "sessions", "Sessions that began on a standing connection.")          \
    X(hub_sessions_ended, "sessions", "Sessions that ended.")                                      \
    X(hub_sessions_cut, "sessions", "Sessions ended since their agent was revoked.")               \
    X(prefaces_bad, "connections", "Data connections reset: malformed, forged or used before.")

struct revtun_hub_stats {
    REVTUN_HUB_STATS(METRIC_FIELD)
    uint64_t binds_denied[REVTUN_DENIAL_END - 1]; // by why, REVTUN_DENIAL_NONE left out
};

enum { REVTUN_HUB_STATS_COUNT = sizeof(struct revtun_hub_stats) / sizeof(uint64_t) };

extern const struct metric revtun_hub_stats_metrics[REVTUN_HUB_STATS_COUNT];

// The counter of binds that were refused for one reason.
uint64_t *revtun_hub_stats_denied(struct revtun_hub_stats *stats, enum revtun_denial_kind kind);
