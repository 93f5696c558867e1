// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_coturn.h"

#include "relay/relay_series.h"

#define SERIES(name, field) static const struct metric_series name[] = {{RELAY_SERIES_AT(field)}}

static const struct metric_series allocations[] = {
    {RELAY_SERIES_AT(gauges.allocations), {{"type", "UDP"}}},
};
SERIES(binding_requests, sums.binding_requests);
SERIES(binding_responses, sums.binding_responses);
SERIES(binding_errors, sums.binding_errors);
SERIES(client_packets_in, sums.from_clients.packets);
SERIES(client_bytes_in, sums.from_clients.bytes);
SERIES(client_packets_out, sums.to_clients.packets);
SERIES(client_bytes_out, sums.to_clients.bytes);
SERIES(strangers, sums.strangers);
SERIES(challenges, sums.challenges);
SERIES(withheld, sums.withheld);
SERIES(credentials_refused, sums.credentials_refused);
SERIES(processed, sums.processed);
SERIES(dropped, sums.dropped);

#define NUMBER(name, help, list) METRIC_FAMILY(FOREIGN, name, "1", help, list)

// What came from a client left for a peer, and the other way: a relay of UDP has no more to tell.
#define TRAFFIC(prefix, whose)                                                                     \
    NUMBER(prefix "_rcvp", whose ": packets received from clients.", client_packets_in),           \
        NUMBER(prefix "_rcvb", whose ": bytes received from clients.", client_bytes_in),           \
        NUMBER(prefix "_sentp", whose ": packets sent to clients.", client_packets_out),           \
        NUMBER(prefix "_sentb", whose ": bytes sent to clients.", client_bytes_out),               \
        NUMBER(prefix "_peer_rcvp", whose ": packets received from peers.", client_packets_out),   \
        NUMBER(prefix "_peer_rcvb", whose ": bytes received from peers.", client_bytes_out),       \
        NUMBER(prefix "_peer_sentp", whose ": packets sent to peers.", client_packets_in),         \
        NUMBER(prefix "_peer_sentb", whose ": bytes sent to peers.", client_bytes_in)

const struct metric_family relay_coturn_families[] = {
    NUMBER("turn_total_allocations", "Allocations there are.", allocations),
    NUMBER("stun_binding_request", "STUN Binding requests.", binding_requests),
    NUMBER("stun_binding_response", "STUN Binding responses.", binding_responses),
    NUMBER("stun_binding_error", "STUN Binding error responses.", binding_errors),
    TRAFFIC("turn_traffic", "All sessions, those that last included"),
    TRAFFIC("turn_total_traffic", "All sessions in all, those that last included"),
    NUMBER("turn_unauthenticated_401_requests", "Requests that want a 401 response.", strangers),
    NUMBER("turn_unauthenticated_401_responses", "401 responses sent.", challenges),
    NUMBER("turn_unauthenticated_401_dropped_responses",
           "Responses not sent, since too many strangers ask or they would amplify.", withheld),
    NUMBER("turn_auth_credential_failures", "Requests refused for their credential.",
           credentials_refused),
    NUMBER("turn_packet_processed", "Packets relayed and requests answered.", processed),
    NUMBER("turn_packet_dropped", "Packets dropped.", dropped),
};
const size_t relay_coturn_family_count = COUNT_OF(relay_coturn_families);
