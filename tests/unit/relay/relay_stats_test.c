// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "turn/turn_stats.h"

static int open_log(void **state)
{
    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    return 0;
}

static int close_log(void **state)
{
    (void)state;
    host_log_close();
    return 0;
}

static void describes_every_counter(void **state)
{
    (void)state;
    for (size_t i = 0; i < RELAY_STATS_COUNT; i++) {
        assert_int_equal(relay_stats_metrics[i].offset, i * sizeof(uint64_t));
        assert_non_null(relay_stats_metrics[i].name);
        assert_non_null(relay_stats_metrics[i].unit);
        assert_non_null(relay_stats_metrics[i].help);
    }
}

static void logs_each_counter_by_its_name(void **state)
{
    static const struct {
        struct relay_stats stats;
        const char *line;
    } cases[] = {
        {{0}, ""}, // nothing to say
        {{.sends_blocked = 1}, " INFO sockets sends_blocked=1\n"},
        {{.sends_refused = 2}, " INFO sockets sends_refused=2\n"},
        {{.receives_failed = UINT64_MAX}, " INFO sockets receives_failed=18446744073709551615\n"},
        {{.ttls_exceeded = 3}, " INFO sockets ttls_exceeded=3\n"},
        {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
         " INFO sockets sends_blocked=1 sends_refused=2 ttls_exceeded=3 hand_overs_lost=4 "
         "receives_failed=5 receives_truncated=6 receives_portless=7 errors_cleared=8 "
         "drops_from_clients=9 drops_from_peers=10\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        relay_stats_log("sockets", relay_stats_metrics, RELAY_STATS_COUNT, &cases[i].stats);
        assert_string_equal(host_log(), cases[i].line);
    }
}

static void has_room_for_all_counters_of_the_protocol(void **state)
{
    uint64_t counters[TURN_STATS_COUNT];

    (void)state;
    for (size_t i = 0; i < TURN_STATS_COUNT; i++) {
        counters[i] = UINT64_MAX - i;
    }
    relay_stats_log("traffic", turn_stats_metrics, TURN_STATS_COUNT, counters);
    const char *line = host_log();
    for (size_t i = 0; i < TURN_STATS_COUNT; i++) {
        char field[128];
        snprintf(field, sizeof field, " %s=%llu", turn_stats_metrics[i].name,
                 (unsigned long long)counters[i]);
        assert_non_null(strstr(line, field));
    }
    assert_null(strstr(line, "truncated"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(describes_every_counter),
        cmocka_unit_test_setup_teardown(logs_each_counter_by_its_name, open_log, close_log),
        cmocka_unit_test_setup_teardown(has_room_for_all_counters_of_the_protocol, open_log,
                                        close_log),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
