// SPDX-License-Identifier: Apache-2.0
// How clients are steered is shown by relay_lane_test.c, and who serves them by relay_crew_test.c.
#include "relay/relay_listen.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/host.h"
#include "fixture.h"

static struct relay_listen listens[2];
static struct io_loop loop;
static struct relay_traffic traffic;

static void open_both(const struct relay_listen_group *group)
{
    assert_int_equal(io_loop_open(&loop), 0);
    for (uint32_t i = 0; i < 2; i++) {
        relay_listen_init(&listens[i]);
        assert_int_equal(relay_listen_open(&listens[i], group, i, &loop, &traffic), 0);
    }
}

static void close_both(void)
{
    for (uint32_t i = 0; i < 2; i++) {
        relay_listen_close(&listens[i], &loop);
        relay_listen_close(&listens[i], &loop);
    }
    assert_int_equal(loop.watch_count, 0);
    io_loop_close(&loop);
}

static void has_a_lane_of_each_kind_for_each_worker(void **state)
{
    const struct relay_config config = fixture_config(ADDR_IP4);
    const struct relay_listen_group group = {.config = &config, .worker_count = 2};
    char line[64];

    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    open_both(&group);
    assert_int_equal(loop.watch_count, 2 * RELAY_LANE_COUNT);
    for (uint32_t i = 0; i < 2; i++) {
        for (size_t lane = 0; lane < RELAY_LANE_COUNT; lane++) {
            assert_int_equal(listens[i].lanes[0][lane].udp.local.port, config.listen_port);
            assert_int_equal(listens[i].lanes[1][lane].udp.fd, -1); // IPv6 is not served
        }
    }
    snprintf(line, sizeof line, "INFO listening address=0.0.0.0:%u\n", config.listen_port);
    const char *first = strstr(host_log(), line);
    assert_non_null(first);
    assert_null(strstr(first + strlen(line), "listening")); // once for all
    close_both();
    host_log_close();
}

static void says_that_another_server_runs_here(void **state)
{
    const struct relay_config config = fixture_config(ADDR_IP4);
    const struct relay_listen_group group = {.config = &config, .worker_count = 2};

    (void)state;
    assert_int_equal(relay_listen_probe(&config), 0);
    open_both(&group);
    host_log_open(LOG_LINE_HUMAN);
    assert_int_equal(relay_listen_probe(&config), -EADDRINUSE);
    assert_non_null(strstr(host_log(), "ERROR cannot listen; does another STUN server run here?"));
    host_log_close();
    close_both();
    assert_int_equal(relay_listen_probe(&config), 0);
}

// Both have asked whether the port is free before either has taken it.
static void does_not_share_with_another_relay(void **state)
{
    const struct relay_config config = fixture_config(ADDR_IP4);
    const struct relay_listen_group group = {.config = &config, .worker_count = 2};
    struct relay_listen other;

    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    open_both(&group);
    relay_listen_init(&other);
    assert_int_equal(relay_listen_open(&other, &group, 0, &loop, &traffic), -EADDRINUSE);
    assert_non_null(strstr(host_log(), "ERROR cannot listen; does another STUN server run here?"));
    relay_listen_close(&other, &loop);
    close_both();
    host_log_close();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_lane_of_each_kind_for_each_worker),
        cmocka_unit_test(says_that_another_server_runs_here),
        cmocka_unit_test(does_not_share_with_another_relay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
