// SPDX-License-Identifier: Apache-2.0
// What a TURN server has counted since it was made.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/metric.h"
#include "stun/stun_error.h"
#include "stun/stun_header.h"
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
    X(allocations_replaced, "allocations", "Allocations that their user replaced by another.")     \
    X(permissions_created, "permissions", "Permissions made.")                                     \
    X(permissions_ended, "permissions", "Permissions that ended.")                                 \
    X(channels_created, "channels", "Channels made.")                                              \
    X(channels_ended, "channels", "Channels that ended.")                                          \
    X(ports_refused, "ports", "Relayed ports that the system refused to bind.")                    \
    X(permissions_revoked, "permissions", "Permissions whose peer a reload denied.")               \
    X(channels_revoked, "channels", "Channels whose peer a reload denied.")                        \
    X(packets_to_peer, "packets", "Packets relayed from clients to peers.")                        \
    X(bytes_to_peer, "bytes", "Application data relayed from clients to peers.")                   \
    X(packets_to_client, "packets", "Packets relayed from peers to clients.")                      \
    X(bytes_to_client, "bytes", "Application data relayed from peers to clients.")                 \
    X(packets_turned, "packets", "Packets from clients for other clients' relayed addresses.")     \
    X(bytes_turned, "bytes", "Application data of these.")                                         \
    X(errors_to_client, "packets", "ICMP errors of peers passed on to clients.")                   \
    X(dropped_malformed, "packets", "From clients, neither STUN nor ChannelData, or broken.")      \
    X(dropped_unexpected, "packets", "From clients, STUN that a server does not expect.")          \
    X(dropped_no_allocation, "packets", "Data from addresses without an allocation.")              \
    X(dropped_no_channel, "packets", "ChannelData with a number that is not bound.")               \
    X(dropped_no_permission, "packets", "Data to or from peers without a permission.")             \
    X(dropped_too_long, "packets", "Data that does not fit into a datagram with its head.")        \
    X(dropped_max_pps, "packets", "Data over --max-pps.")                                          \
    X(dropped_max_bps, "packets", "Data over --max-bps.")

// The methods, by Firezone's words for them.
#define TURN_STATS_WORD_BINDING "binding"
#define TURN_STATS_WORD_ALLOCATE "allocate"
#define TURN_STATS_WORD_REFRESH "refresh"
#define TURN_STATS_WORD_CREATE_PERMISSION "createpermission"
#define TURN_STATS_WORD_CHANNEL_BIND "channelbind"

// X(NAME)
#define TURN_STATS_METHODS(X)                                                                      \
    X(BINDING)                                                                                     \
    X(ALLOCATE)                                                                                    \
    X(REFRESH)                                                                                     \
    X(CREATE_PERMISSION)                                                                           \
    X(CHANNEL_BIND)

enum turn_stats_method {
#define TURN_STATS_METHOD(NAME) TURN_STATS_##NAME,
    TURN_STATS_METHODS(TURN_STATS_METHOD)
#undef TURN_STATS_METHOD
        TURN_STATS_METHOD_COUNT,
};

enum turn_stats_outcome {
    TURN_STATS_SUCCESS,
#define TURN_STATS_OUTCOME(NAME, code, reason) TURN_STATS_##NAME,
    STUN_ERRORS(TURN_STATS_OUTCOME)
#undef TURN_STATS_OUTCOME
        TURN_STATS_OUTCOME_COUNT,
};

enum {
    TURN_STATS_SIZE_STEP = 100, // bytes between two bounds
    TURN_STATS_SIZE_COUNT = 15, // bounds: the last is at 1500 bytes
};

struct turn_stats {
    TURN_STATS(METRIC_FIELD)
    uint64_t refused[TURN_REFUSAL_END - 1]; // requests, by reason; from the first one on
    // What follows is not in turn_stats_metrics[].
    uint64_t responses[TURN_STATS_METHOD_COUNT][TURN_STATS_OUTCOME_COUNT]; // that were sent
    // Of application data, each packet once (base/histogram.h).
    uint64_t packet_sizes[HISTOGRAM_LEN(TURN_STATS_SIZE_COUNT)];
};

enum { TURN_STATS_COUNT = offsetof(struct turn_stats, responses) / sizeof(uint64_t) };

extern const struct metric turn_stats_metrics[TURN_STATS_COUNT];

// The counter of a reason (which is not TURN_REFUSAL_NONE).
uint64_t *turn_stats_refused(struct turn_stats *stats, enum turn_refusal refusal);

// The counter of responses to a method of a TURN server, success or error.
uint64_t *turn_stats_response(struct turn_stats *stats, enum stun_method method,
                              enum stun_error_code code);

// The word for one of these methods, as TURN_STATS_WORD_ have it.
const char *turn_stats_word(enum stun_method method);

// Counts a packet of so many bytes of data.
static inline void turn_stats_size(struct turn_stats *stats, size_t len)
{
    const size_t place = len == 0 ? 0 : (len - 1) / TURN_STATS_SIZE_STEP;

    stats->packet_sizes[place < TURN_STATS_SIZE_COUNT ? place : TURN_STATS_SIZE_COUNT]++;
    stats->packet_sizes[TURN_STATS_SIZE_COUNT + 1] += len;
}
