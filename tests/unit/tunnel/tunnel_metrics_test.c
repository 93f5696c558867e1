// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_metrics.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static uint8_t text[TUNNEL_METRICS_TEXT_MAX];

static void has_room_for_all_at_their_largest(void **state)
{
    static struct tunnel_snapshot snapshot;
    struct wr wr = wr_init(text, sizeof text);

    (void)state;
    memset(&snapshot, 0xff, sizeof snapshot);
    tunnel_metrics_write(&wr, &snapshot);
    assert_true(wr_ok(&wr));
}

static void tells_each_counter_of_the_core(void **state)
{
    static struct tunnel_snapshot snapshot;
    uint64_t *counters = (uint64_t *)&snapshot.core;

    (void)state;
    for (size_t i = 0; i < REVTUN_STATS_COUNT; i++) {
        char wanted[32];
        struct wr wr = wr_init(text, sizeof text - 1);

        memset(&snapshot, 0, sizeof snapshot);
        counters[i] = 4711000 + i;
        snprintf(wanted, sizeof wanted, " %zu\n", (size_t)4711000 + i);
        tunnel_metrics_write(&wr, &snapshot);
        wr_u8(&wr, '\0');
        assert_true(wr_ok(&wr));
        if (strstr((const char *)text, wanted) == NULL) {
            fail_msg("%s is not told", revtun_stats_metrics[i].name);
        }
    }
}

static void tells_each_counter_of_the_hub(void **state)
{
    static struct tunnel_snapshot snapshot;
    uint64_t *counters = (uint64_t *)&snapshot.hub;

    (void)state;
    for (size_t i = 0; i < REVTUN_HUB_STATS_COUNT; i++) {
        char wanted[32];
        struct wr wr = wr_init(text, sizeof text - 1);

        memset(&snapshot, 0, sizeof snapshot);
        counters[i] = 4711000 + i;
        snprintf(wanted, sizeof wanted, " %zu\n", (size_t)4711000 + i);
        tunnel_metrics_write(&wr, &snapshot);
        wr_u8(&wr, '\0');
        if (strstr((const char *)text, wanted) == NULL) {
            fail_msg("%s is not told", revtun_hub_stats_metrics[i].name);
        }
    }
}

static void tells_clients_of_both_versions_apart(void **state)
{
    static const char *const wanted[] = {
        "\ntunnel_sessions{protocol=\"1\"} 1\n",
        "\ntunnel_sessions{protocol=\"2\"} 2\n",
        "\ntunnel_clients_waiting{protocol=\"1\"} 3\n",
        "\ntunnel_clients_waiting{protocol=\"2\"} 4\n",
        "\ntunnel_agents_ports 5\n",
        "\ntunnel_agents_ports_free 6\n",
        "\ntunnel_agents_standing 7\n",
        "\ntunnel_agents 8\n",
        "\ntunnel_agents_tunnels 9\n",
    };
    static const struct tunnel_snapshot snapshot = {.gauges = {.sessions = {1, 2},
                                                               .waiting = {3, 4},
                                                               .ports = 5,
                                                               .ports_free = 6,
                                                               .standing = 7,
                                                               .agents = 8,
                                                               .tunnels = 9}};
    struct wr wr = wr_init(text, sizeof text - 1);

    (void)state;
    tunnel_metrics_write(&wr, &snapshot);
    wr_u8(&wr, '\0');
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        if (strstr((const char *)text, wanted[i]) == NULL) {
            fail_msg("not told: %s", wanted[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_room_for_all_at_their_largest),
        cmocka_unit_test(tells_each_counter_of_the_core),
        cmocka_unit_test(tells_each_counter_of_the_hub),
        cmocka_unit_test(tells_clients_of_both_versions_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
