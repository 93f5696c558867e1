// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_web.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/caller.h"

static struct relay_config config;
static struct relay_status status;
static struct relay_worker_share share;
static struct relay_web web;

static const struct daemon_config_place any = {.addr = {.ip = {127, 0, 0, 1}, .family = ADDR_IP4},
                                               .is_given = true};

static int setup(void **state)
{
    (void)state;
    config.daemon.sites[DAEMON_CONFIG_HEALTH] = any;
    config.daemon.sites[DAEMON_CONFIG_CONTROL] = any;
    config.daemon.sites[DAEMON_CONFIG_METRICS] = (struct daemon_config_place){0};
    assert_int_equal(relay_status_open(&status), 0);
    assert_int_equal(relay_web_open(&web, &config, &status, &share), 0);
    assert_int_equal(daemon_web_start(&web.daemon), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    daemon_web_stop(&web.daemon);
    relay_web_close(&web);
    relay_web_close(&web);
    relay_status_close(&status);
    memset(&web, 0, sizeof web);
    return 0;
}

static void assert_readyz(const char *status_text, const char *body)
{
    caller_expect(&web.daemon.bound[DAEMON_CONFIG_HEALTH], "GET /readyz", status_text, body);
    caller_expect(&web.daemon.bound[DAEMON_CONFIG_HEALTH], "GET /healthz", "200", FAIRLEAD_VERSION);
}

static void says_how_the_relay_is(void **state)
{
    (void)state;
    assert_readyz("503", "the relay does not serve\n");
    relay_status_serving(&status, true);
    assert_readyz("200", FAIRLEAD_VERSION);
    relay_status_connecting(&status);
    assert_readyz("503", "the relay is not connected to its portal\n");
    relay_status_joined(&status);
    assert_readyz("200", FAIRLEAD_VERSION);
    relay_status_refused(&status);
    assert_readyz("503", "the portal refuses the relay\n");
    relay_status_draining(&status);
    assert_readyz("503", "the relay drains\n");
}

static void serves_each_site_at_its_own_address(void **state)
{
    (void)state;
    assert_memory_equal(caller_ask(&web.daemon.bound[DAEMON_CONFIG_HEALTH], "POST /log_filter", ""),
                        "404", 3);
    assert_memory_equal(caller_ask(&web.daemon.bound[DAEMON_CONFIG_CONTROL], "GET /healthz", ""),
                        "404", 3);
    assert_int_equal(web.daemon.bound[DAEMON_CONFIG_METRICS].family, ADDR_NONE);
    assert_int_equal(web.demo_bound.family, ADDR_NONE);
}

static void serves_the_demo_page(void **state)
{
    static struct relay_web second;
    uint8_t secret[RELAY_DEMO_SECRET_LEN];
    struct relay_config demo = {.demo = any};

    (void)state;
    relay_demo_make_secret(&demo, secret);
    assert_int_equal(relay_web_open(&second, &demo, &status, &share), 0);
    assert_int_equal(second.demo_bound.family, ADDR_IP4);
    assert_int_equal(daemon_web_start(&second.daemon), 0);
    assert_memory_equal(caller_ask(&second.demo_bound, "GET /", ""), "200", 3);
    relay_web_close(&second);
    assert_true(relay_web_descriptors(&demo) > WEB_SERVER_CONNECTION_MAX);
}

static void does_nothing_when_nothing_is_served(void **state)
{
    static struct relay_web nothing;
    static struct relay_config none;

    (void)state;
    assert_int_equal(relay_web_descriptors(&none), 0);
    assert_int_equal(relay_web_open(&nothing, &none, &status, &share), 0);
    assert_int_equal(daemon_web_start(&nothing.daemon), 0);
    assert_false(nothing.daemon.thread.is_running);
    daemon_web_stop(&nothing.daemon);
    relay_web_close(&nothing);
    assert_true(relay_web_descriptors(&config) > WEB_SERVER_CONNECTION_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_how_the_relay_is, setup, teardown),
        cmocka_unit_test_setup_teardown(serves_each_site_at_its_own_address, setup, teardown),
        cmocka_unit_test_setup_teardown(serves_the_demo_page, setup, teardown),
        cmocka_unit_test_setup_teardown(does_nothing_when_nothing_is_served, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
