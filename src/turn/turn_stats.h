// SPDX-License-Identifier: Apache-2.0
// What a TURN server has counted since it was made.
#pragma once

#include <stdint.h>

#include "base/metric.h"
#include "turn/turn_refusal.h"

// X(name, unit, help), one line per counter: the struct and its description cannot drift.
#define TURN_STATS(X)                                                                              \
    X(binding_requests, "requests", "STUN Binding requests answered.")                             \
    X(allocate_requests, "requests", "Allocate requests.")                                         \
    X(refresh_requests, "requests", "Refresh requests.")                                           \
    X(create_permission_requests, "requests", "CreatePermission requests.")                        \
    X(channel_bind_requests, "requests", "ChannelBind requests.")                                  \
    X(challenges, "responses", "401 and 438 responses: no credential yet, or a stale nonce.")      \
    X(requests_limited, "requests", "Of strangers over --unauthenticated-rate, not answered.")     \
    X(responses_withheld, "responses", "Not sent, since they would amplify an unproven request.")  \
    X(errors, "responses", "Error responses to authenticated requests.")                           \
    X(allocations_created, "allocations", "Allocations made.")                                     \
    X(allocations_expired, "allocations", "Allocations whose lifetime ran out.")                   \
    X(allocations_deleted, "allocations", "Allocations that their client gave back.")              \
    X(ports_refused, "ports", "Relayed ports that the system refused to bind.")                    \
    X(packets_to_peer, "packets", "Packets relayed from clients to peers.")                        \
    X(bytes_to_peer, "bytes", "Application data relayed from clients to peers.")                   \
    X(packets_to_client, "packets", "Packets relayed from peers to clients.")                      \
    X(bytes_to_client, "bytes", "Application data relayed from peers to clients.")                 \
    X(packets_turned, "packets", "Packets from clients for other clients' relayed addresses.")     \
    X(errors_to_client, "packets", "ICMP errors of peers passed on to clients.")                   \
    X(dropped_malformed, "packets", "From clients, neither STUN nor ChannelData, or broken.")      \
    X(dropped_unexpected, "packets", "From clients, STUN that a server does not expect.")          \
    X(dropped_no_allocation, "packets", "Data from addresses without an allocation.")              \
    X(dropped_no_channel, "packets", "ChannelData with a number that is not bound.")               \
    X(dropped_no_permission, "packets", "Data to or from peers without a permission.")             \
    X(dropped_too_long, "packets", "Data that does not fit into a datagram with its head.")        \
    X(dropped_max_pps, "packets", "Data over --max-pps.")                                          \
    X(dropped_max_bps, "packets", "Data over --max-bps.")

struct turn_stats {
#define TURN_STATS_FIELD(name, unit, help) uint64_t name;
    TURN_STATS(TURN_STATS_FIELD)
#undef TURN_STATS_FIELD
    uint64_t refused[TURN_REFUSAL_END - 1]; // requests, by reason; from the first one on
};

enum { TURN_STATS_COUNT = sizeof(struct turn_stats) / sizeof(uint64_t) };

extern const struct metric turn_stats_metrics[TURN_STATS_COUNT];

// The counter of a reason (which is not TURN_REFUSAL_NONE).
uint64_t *turn_stats_refused(struct turn_stats *stats, enum turn_refusal refusal);
