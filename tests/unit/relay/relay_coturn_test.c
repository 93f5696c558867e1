// SPDX-License-Identifier: Apache-2.0
// Which number is told under which of coturn's names, and that this is all that is told.
#include "relay/relay_coturn.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "relay/relay_snapshot.h"
#include "telemetry/telemetry_prometheus.h"

static void each_of_coturns_names_has_its_number(void **state)
{
    static const struct relay_snapshot snapshot = {
        .gauges.allocations = 1,
        .sums =
            {
                .from_clients = {2, 3},
                .to_clients = {4, 5},
                .kernel_to_clients = {6, 7},
                .binding_requests = 8,
                .binding_responses = 9,
                .binding_errors = 10,
                .challenges = 11,
                .strangers = 12,
                .withheld = 13,
                .credentials_refused = 14,
                .processed = 15,
                .dropped = 16,
            },
    };
    static const char wanted[] = "turn_total_allocations{type=\"UDP\"} 1\n"
                                 "stun_binding_request 8\n"
                                 "stun_binding_response 9\n"
                                 "stun_binding_error 10\n"
                                 "turn_traffic_rcvp 2\n"
                                 "turn_traffic_rcvb 3\n"
                                 "turn_traffic_sentp 4\n"
                                 "turn_traffic_sentb 5\n"
                                 "turn_traffic_peer_rcvp 4\n"
                                 "turn_traffic_peer_rcvb 5\n"
                                 "turn_traffic_peer_sentp 2\n"
                                 "turn_traffic_peer_sentb 3\n"
                                 "turn_total_traffic_rcvp 2\n"
                                 "turn_total_traffic_rcvb 3\n"
                                 "turn_total_traffic_sentp 4\n"
                                 "turn_total_traffic_sentb 5\n"
                                 "turn_total_traffic_peer_rcvp 4\n"
                                 "turn_total_traffic_peer_rcvb 5\n"
                                 "turn_total_traffic_peer_sentp 2\n"
                                 "turn_total_traffic_peer_sentb 3\n"
                                 "turn_unauthenticated_401_requests 12\n"
                                 "turn_unauthenticated_401_responses 11\n"
                                 "turn_unauthenticated_401_dropped_responses 13\n"
                                 "turn_auth_credential_failures 14\n"
                                 "turn_packet_processed 15\n"
                                 "turn_packet_dropped 16\n";
    static char text[16384];
    struct wr wr = wr_init((uint8_t *)text, sizeof text - 1);
    char told[4096] = "";

    (void)state;
    telemetry_prometheus_write(&wr, relay_coturn_families, relay_coturn_family_count, &snapshot);
    assert_true(wr_ok(&wr));
    for (const char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (line[0] != '#') {
            strcat(told, line);
            strcat(told, "\n");
        }
    }
    assert_string_equal(told, wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_of_coturns_names_has_its_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
