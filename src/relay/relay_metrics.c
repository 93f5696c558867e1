// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_metrics.h"

#include <assert.h>

#include "daemon/daemon_process.h"
#include "relay/relay_coturn.h"
#include "relay/relay_series.h"
#include "telemetry/telemetry_prometheus.h"

// Labels are of few values, all of which are in this table: no name of a user, no address.

#define SERIES(name) static const struct metric_series name[]
#define GAUGE(field) RELAY_SERIES_AT(gauges.field)
#define TURN(field) RELAY_SERIES_AT(counts.turn.field)
#define SOCKETS(field) RELAY_SERIES_AT(counts.sockets.field)
#define KERNEL(field, verdict)                                                                     \
    (RELAY_SERIES_AT(kernel.field) + sizeof(uint64_t) * RELAY_ABI_VERDICT_##verdict)

// Values of labels, by Firezone's words where it has any.
#define BY_SOCKETS                                                                                 \
    {                                                                                              \
        "relay.datapath", "userspace"                                                              \
    }
#define BY_KERNEL                                                                                  \
    {                                                                                              \
        "relay.datapath", "xdp"                                                                    \
    }
#define TO_PEER                                                                                    \
    {                                                                                              \
        "direction", "to_peer"                                                                     \
    }
#define TO_CLIENT                                                                                  \
    {                                                                                              \
        "direction", "to_client"                                                                   \
    }
#define REASON(name)                                                                               \
    {                                                                                              \
        "reason", name                                                                             \
    }

// What there is.
SERIES(allocations) = {{GAUGE(allocations)}};
SERIES(channels) = {{GAUGE(channels)}};
SERIES(permissions) = {{GAUGE(permissions)}};
SERIES(reservations) = {{GAUGE(reservations)}};
SERIES(users) = {{GAUGE(users)}};
SERIES(ports) = {{GAUGE(ports_in_use)}};
SERIES(workers) = {{GAUGE(workers)}};
SERIES(late_workers) = {{GAUGE(late_workers)}};
SERIES(draining) = {{GAUGE(is_draining)}};
SERIES(xdp_interfaces) = {{GAUGE(xdp_interfaces)}};
SERIES(build) = {{GAUGE(one), {{"version", FAIRLEAD_VERSION}}}};
SERIES(capacity) = {
    {GAUGE(max_allocations), {{"resource", "allocations"}}},
    {GAUGE(max_channels), {{"resource", "channels"}}},
    {GAUGE(max_permissions), {{"resource", "permissions"}}},
    {GAUGE(ports), {{"resource", "ports"}}},
};

// Their lives.
SERIES(allocations_created) = {{TURN(allocations_created)}};
SERIES(allocations_ended) = {
    {TURN(allocations_expired), {REASON("expired")}},
    {TURN(allocations_deleted), {REASON("deleted")}},
    {TURN(allocations_replaced), {REASON("replaced")}},
};
SERIES(channels_created) = {{TURN(channels_created)}};
SERIES(channels_ended) = {{TURN(channels_ended)}};
SERIES(permissions_created) = {{TURN(permissions_created)}};
SERIES(permissions_ended) = {{TURN(permissions_ended)}};

// Requests and what came of them.
#define METHOD(NAME)                                                                               \
    {                                                                                              \
        "message_type", TURN_STATS_WORD_##NAME                                                     \
    }
SERIES(requests) = {
    {RELAY_SERIES_AT(sums.binding_requests), {METHOD(BINDING)}},
    {TURN(allocate_requests), {METHOD(ALLOCATE)}},
    {TURN(refresh_requests), {METHOD(REFRESH)}},
    {TURN(create_permission_requests), {METHOD(CREATE_PERMISSION)}},
    {TURN(channel_bind_requests), {METHOD(CHANNEL_BIND)}},
};

#define SUCCESS_AT(METHOD_NAME, field)                                                             \
    {                                                                                              \
        field,                                                                                     \
        {                                                                                          \
            METHOD(METHOD_NAME),                                                                   \
            {                                                                                      \
                "response_class", "success"                                                        \
            }                                                                                      \
        }                                                                                          \
    }
#define SUCCESS(METHOD_NAME)                                                                       \
    SUCCESS_AT(METHOD_NAME, TURN(responses[TURN_STATS_##METHOD_NAME][TURN_STATS_SUCCESS]))
#define ERROR(METHOD_NAME, NAME, code)                                                             \
    {TURN(responses[TURN_STATS_##METHOD_NAME][TURN_STATS_##NAME]),                                 \
     {METHOD(METHOD_NAME),                                                                         \
      {"response_class", "error"},                                                                 \
      {"error_code", #code, METRIC_LABEL_NUMBER}}},
SERIES(responses) = {SUCCESS_AT(BINDING, RELAY_SERIES_AT(sums.binding_responses)),
#define BINDING_ERROR(NAME, code, reason) ERROR(BINDING, NAME, code)
                     STUN_ERRORS(BINDING_ERROR)
#undef BINDING_ERROR
                         SUCCESS(ALLOCATE),
#define ALLOCATE_ERROR(NAME, code, reason) ERROR(ALLOCATE, NAME, code)
                     STUN_ERRORS(ALLOCATE_ERROR)
#undef ALLOCATE_ERROR
                         SUCCESS(REFRESH),
#define REFRESH_ERROR(NAME, code, reason) ERROR(REFRESH, NAME, code)
                     STUN_ERRORS(REFRESH_ERROR)
#undef REFRESH_ERROR
                         SUCCESS(CREATE_PERMISSION),
#define CREATE_PERMISSION_ERROR(NAME, code, reason) ERROR(CREATE_PERMISSION, NAME, code)
                     STUN_ERRORS(CREATE_PERMISSION_ERROR)
#undef CREATE_PERMISSION_ERROR
                         SUCCESS(CHANNEL_BIND),
#define CHANNEL_BIND_ERROR(NAME, code, reason) ERROR(CHANNEL_BIND, NAME, code)
                     STUN_ERRORS(CHANNEL_BIND_ERROR)
#undef CHANNEL_BIND_ERROR
};

SERIES(refusals) = {
#define REFUSED(NAME, name, words) {TURN(refused[TURN_REFUSAL_##NAME - 1]), {REASON(#name)}},
    TURN_REFUSALS(REFUSED)
#undef REFUSED
};
SERIES(requests_limited) = {{TURN(requests_limited)}};
SERIES(responses_withheld) = {{TURN(responses_withheld)}};
SERIES(ports_refused) = {{TURN(ports_refused)}};

// Data.
SERIES(relayed_packets) = {
    {TURN(packets_to_peer), {BY_SOCKETS, TO_PEER}},
    {TURN(packets_to_client), {BY_SOCKETS, TO_CLIENT}},
    {KERNEL(packets, to_peer), {BY_KERNEL, TO_PEER}},
    {RELAY_SERIES_AT(sums.kernel_to_clients.packets), {BY_KERNEL, TO_CLIENT}},
};
SERIES(relayed_bytes) = {
    {TURN(bytes_to_peer), {BY_SOCKETS, TO_PEER}},
    {TURN(bytes_to_client), {BY_SOCKETS, TO_CLIENT}},
    {KERNEL(data, to_peer), {BY_KERNEL, TO_PEER}},
    {RELAY_SERIES_AT(sums.kernel_to_clients.bytes), {BY_KERNEL, TO_CLIENT}},
};
SERIES(turned) = {
    {TURN(packets_turned), {BY_SOCKETS}},
    {KERNEL(packets, turned), {BY_KERNEL}},
};
SERIES(icmp_errors) = {{TURN(errors_to_client)}};
_Static_assert((int)TURN_STATS_SIZE_STEP == (int)RELAY_ABI_SIZE_STEP, "both have the same bounds");
_Static_assert((int)TURN_STATS_SIZE_COUNT == (int)RELAY_ABI_SIZE_COUNT, "and as many");
SERIES(packet_sizes) = {
    {TURN(packet_sizes), {BY_SOCKETS}},
    {RELAY_SERIES_AT(kernel.packet_sizes), {BY_KERNEL}},
};

// What was lost.
#define DROPPED(name)                                                                              \
    {                                                                                              \
        TURN(dropped_##name),                                                                      \
        {                                                                                          \
            BY_SOCKETS, REASON(#name)                                                              \
        }                                                                                          \
    }
SERIES(dropped) = {
    DROPPED(malformed),
    DROPPED(unexpected),
    DROPPED(no_allocation),
    DROPPED(no_channel),
    DROPPED(no_permission),
    DROPPED(too_long),
    DROPPED(max_pps),
    DROPPED(max_bps),
    {KERNEL(packets, drop_max_pps), {BY_KERNEL, REASON("max_pps")}},
    {KERNEL(packets, drop_max_bps), {BY_KERNEL, REASON("max_bps")}},
};
SERIES(unsent) = {
    {SOCKETS(sends_blocked), {REASON("blocked")}},
    {SOCKETS(sends_refused), {REASON("refused")}},
    {SOCKETS(ttls_exceeded), {REASON("ttl")}},
    {SOCKETS(hand_overs_lost), {REASON("mailbox_full")}},
};
SERIES(overflows) = {
    {SOCKETS(drops_from_clients), {{"socket", "listening"}}},
    {SOCKETS(drops_from_peers), {{"socket", "relayed"}}},
};
SERIES(receive_errors) = {
    {SOCKETS(receives_failed), {REASON("memory")}},
    {SOCKETS(receives_truncated), {REASON("too_long")}},
    {SOCKETS(receives_portless), {REASON("port_zero")}},
    {SOCKETS(errors_cleared), {REASON("pending")}},
};

// The kernel's program.
SERIES(verdict_packets) = {
#define VERDICT(name, help) {KERNEL(packets, name), {{"verdict", #name}}},
    RELAY_ABI_VERDICTS(VERDICT)
#undef VERDICT
};
SERIES(verdict_bytes) = {
#define VERDICT(name, help) {KERNEL(bytes, name), {{"verdict", #name}}},
    RELAY_ABI_VERDICTS(VERDICT)
#undef VERDICT
};

// Time.
SERIES(xdp_durations) = {{RELAY_SERIES_AT(kernel.durations)}};
SERIES(waits) = {{SOCKETS(waits)}};
SERIES(turns) = {
    {SOCKETS(turns),
     {{"eventloop.exhausted", "false", METRIC_LABEL_TRUTH}, {"eventloop.name", "relay"}}},
    {SOCKETS(full_turns),
     {{"eventloop.exhausted", "true", METRIC_LABEL_TRUTH}, {"eventloop.name", "relay"}}},
};

#define FAMILY METRIC_FAMILY
const struct metric_family relay_metrics_families[] = {
    FAMILY(GAUGE, "relay.active_allocations", "{allocation}", "Allocations there are.",
           allocations),
    FAMILY(GAUGE, "relay.active_channels", "{channel}", "Channels there are.", channels),
    FAMILY(GAUGE, "relay.active_permissions", "{permission}", "Permissions there are.",
           permissions),
    FAMILY(GAUGE, "relay.active_reservations", "{reservation}", "Ports reserved by EVEN-PORT.",
           reservations),
    FAMILY(GAUGE, "relay.active_users", "{user}", "Users with an allocation or a reservation.",
           users),
    FAMILY(GAUGE, "relay.ports_in_use", "{port}", "Relayed ports that nobody else can get now.",
           ports),
    FAMILY(GAUGE, "relay.capacity", "1", "How many there may be in all.", capacity),
    FAMILY(GAUGE, "relay.workers", "{thread}", "Threads that relay packets.", workers),
    FAMILY(GAUGE, "relay.late_workers", "{thread}",
           "Threads that did not answer within 200 ms, and whose counters are old.", late_workers),
    FAMILY(GAUGE, "relay.draining", "1", "1 when no allocations are made any more.", draining),
    FAMILY(GAUGE, "relay.xdp.interfaces", "{interface}", "Interfaces by which the kernel relays.",
           xdp_interfaces),
    FAMILY(GAUGE, "relay.build_info", "1", "The version.", build),

    FAMILY(COUNTER, "relay.allocations.created", "{allocation}", "Allocations made.",
           allocations_created),
    FAMILY(COUNTER, "relay.allocations.ended", "{allocation}", "Allocations that ended, by why.",
           allocations_ended),
    FAMILY(COUNTER, "relay.channels.created", "{channel}", "Channels made.", channels_created),
    FAMILY(COUNTER, "relay.channels.ended", "{channel}", "Channels that ended.", channels_ended),
    FAMILY(COUNTER, "relay.permissions.created", "{permission}", "Permissions made.",
           permissions_created),
    FAMILY(COUNTER, "relay.permissions.ended", "{permission}", "Permissions that ended.",
           permissions_ended),

    FAMILY(COUNTER, "relay.requests", "{request}",
           "Requests: of Binding those that were answered, of others those with a good credential.",
           requests),
    FAMILY(COUNTER, "relay.responses", "{response}", "Responses sent.", responses),
    FAMILY(COUNTER, "relay.refusals", "{request}", "What was refused, and why.", refusals),
    FAMILY(COUNTER, "relay.requests.limited", "{request}",
           "Requests of strangers over --unauthenticated-rate, not answered.", requests_limited),
    FAMILY(COUNTER, "relay.responses.withheld", "{response}",
           "Responses not sent, since they would amplify an unproven request.", responses_withheld),
    FAMILY(COUNTER, "relay.ports.refused", "{port}",
           "Relayed ports that the system refused to bind.", ports_refused),

    FAMILY(COUNTER, "relay.relayed.packets", "{packet}", "Packets relayed.", relayed_packets),
    FAMILY(COUNTER, "relay.relayed", "By", "Application data relayed.", relayed_bytes),
    FAMILY(COUNTER, "relay.turned.packets", "{packet}",
           "Packets of clients for other clients' relayed addresses.", turned),
    FAMILY(COUNTER, "relay.icmp_errors", "{packet}", "ICMP errors of peers told to clients.",
           icmp_errors),
    METRIC_FAMILY_HISTOGRAM("relay.packet.size", "By", 1, &xdp_counts_size_bounds,
                            "Application data of relayed packets.", packet_sizes),

    FAMILY(COUNTER, "relay.dropped.packets", "{packet}", "Packets dropped, and why.", dropped),
    FAMILY(COUNTER, "relay.unsent.packets", "{packet}", "Packets that could not be sent, and why.",
           unsent),
    FAMILY(COUNTER, "relay.socket.overflows", "{packet}",
           "Dropped by the kernel at sockets whose buffers were full; trains count once.",
           overflows),
    FAMILY(COUNTER, "relay.receive.errors", "{error}", "What went wrong in receiving.",
           receive_errors),

    FAMILY(COUNTER, "relay.xdp.packets", "{packet}",
           "Packets that the kernel program has seen, by what became of them.", verdict_packets),
    FAMILY(COUNTER, "relay.xdp", "By", "Their frames as they came in.", verdict_bytes),

    METRIC_FAMILY_HISTOGRAM("relay.xdp.processing.duration", "ns", 1, &xdp_counts_duration_bounds,
                            "How long the kernel program took to relay one packet of 1024.",
                            xdp_durations),
    METRIC_FAMILY_HISTOGRAM("relay.packet.latency", "s", SECOND_NS, &relay_stats_times,
                            "From a worker's waking for a packet until it was sent.", waits),
    METRIC_FAMILY_HISTOGRAM("eventloop.poll.duration", "s", SECOND_NS, &relay_stats_times,
                            "How long a turn of a worker's loop took.", turns),
};
const size_t relay_metrics_family_count = COUNT_OF(relay_metrics_families);

struct relay_metrics_group relay_metrics_group(enum relay_metrics_group_name name)
{
    switch (name) {
    case RELAY_METRICS_OWN:
        return (struct relay_metrics_group){relay_metrics_families, relay_metrics_family_count, 0};
    case RELAY_METRICS_PROCESS:
        return (struct relay_metrics_group){daemon_process_families, daemon_process_family_count,
                                            RELAY_SERIES_AT(process)};
    case RELAY_METRICS_COTURN:
        return (struct relay_metrics_group){relay_coturn_families, relay_coturn_family_count, 0};
    case RELAY_METRICS_GROUP_COUNT:
        break;
    }
    assert(!"a group of series");
    return (struct relay_metrics_group){0};
}

void relay_metrics_write(struct wr *wr, const struct relay_snapshot *snapshot)
{
    for (unsigned i = 0; i < RELAY_METRICS_GROUP_COUNT; i++) {
        const struct relay_metrics_group group = relay_metrics_group(i);
        telemetry_prometheus_write(wr, group.families, group.count,
                                   (const uint8_t *)snapshot + group.offset);
    }
}
