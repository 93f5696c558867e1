// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_web.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "caller.h"
#include "log/log.h"

static struct daemon_config config;
static const char *_Atomic unready;
static struct daemon_web web;
static struct addr own_bound;

static const struct daemon_config_place any = {.addr = {.ip = {127, 0, 0, 1}, .family = ADDR_IP4},
                                               .is_given = true};

static const char *why_unready(void *context)
{
    assert_ptr_equal(context, &unready);
    return atomic_load(&unready);
}

static void metrics_write(void *context, struct wr *wr)
{
    assert_ptr_equal(context, &unready);
    wr_text(wr, "sessions 7\n");
}

static const struct daemon_web_subject subject = {why_unready, metrics_write, &unready};

static void own(void *context, const struct http_request *request, struct web_answer *answer)
{
    (void)request;
    wr_text(&answer->body, context);
}

static int setup(void **state)
{
    static const struct web_route routes[] = {{"GET", "/own", own}};
    static char words[] = "its own";
    const struct web_site site = {
        .routes = routes, .route_count = COUNT_OF(routes), .context = words};

    (void)state;
    config.sites[DAEMON_CONFIG_HEALTH] = any;
    config.sites[DAEMON_CONFIG_CONTROL] = any;
    config.sites[DAEMON_CONFIG_METRICS] = (struct daemon_config_place){0};
    own_bound = (struct addr){0};
    atomic_store(&unready, NULL);
    assert_int_equal(daemon_web_open(&web, &config, &subject), 0);
    assert_int_equal(daemon_web_serve(&web, "own", &any, &site, &own_bound), 0);
    assert_int_equal(daemon_web_start(&web), 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    daemon_web_stop(&web);
    daemon_web_close(&web);
    daemon_web_close(&web);
    memset(&web, 0, sizeof web);
    log_filter_set_level(LOG_LEVEL_INFO);
    return 0;
}

static void assert_readyz(const char *status_text, const char *body)
{
    caller_expect(&web.bound[DAEMON_CONFIG_HEALTH], "GET /readyz", status_text, body);
    caller_expect(&web.bound[DAEMON_CONFIG_HEALTH], "GET /healthz", "200", FAIRLEAD_VERSION);
}

static void says_how_the_daemon_is(void **state)
{
    (void)state;
    assert_readyz("200", FAIRLEAD_VERSION);
    atomic_store(&unready, "it drains\n");
    assert_readyz("503", "it drains\n");
}

static void replaces_the_log_filter(void **state)
{
    char long_text[3000] = "POST /log_filter?directives=";

    (void)state;
    assert_false(log_is_on("daemon_web.c", LOG_LEVEL_DEBUG));
    caller_expect(&web.bound[DAEMON_CONFIG_CONTROL], "POST /log_filter?directives=debug", "200",
                  "");
    assert_true(log_is_on("daemon_web.c", LOG_LEVEL_DEBUG));
    caller_expect(&web.bound[DAEMON_CONFIG_CONTROL],
                  "POST /log_filter?directives=info%2Cdaemon%3Dwarn", "200", "");
    assert_false(log_is_on("daemon_web.c", LOG_LEVEL_DEBUG));
    assert_memory_equal(
        caller_ask(&web.bound[DAEMON_CONFIG_CONTROL], "POST /log_filter?directives=a%3Dloud", ""),
        "400", 3);
    caller_expect(&web.bound[DAEMON_CONFIG_CONTROL], "POST /log_filter", "400",
                  "directives is missing, as in /log_filter?directives=info\n");
    caller_expect(&web.bound[DAEMON_CONFIG_CONTROL], "POST /log_filter?directives=%zz", "400",
                  "directives has a percent sign without two digits behind it\n");
    caller_expect(&web.bound[DAEMON_CONFIG_CONTROL],
                  "POST /log_filter?directives=info&directives=info", "400",
                  "directives is given twice\n");
    memset(long_text + strlen(long_text), 'a', 2049);
    caller_expect(&web.bound[DAEMON_CONFIG_CONTROL], long_text, "400",
                  "directives is longer than 2048 bytes\n");
}

static void serves_each_site_at_its_own_address(void **state)
{
    (void)state;
    assert_memory_equal(caller_ask(&web.bound[DAEMON_CONFIG_HEALTH], "POST /log_filter", ""), "404",
                        3);
    assert_memory_equal(caller_ask(&web.bound[DAEMON_CONFIG_CONTROL], "GET /healthz", ""), "404",
                        3);
    assert_memory_equal(caller_ask(&web.bound[DAEMON_CONFIG_CONTROL], "GET /log_filter", ""), "405",
                        3);
    assert_int_equal(web.bound[DAEMON_CONFIG_METRICS].family, ADDR_NONE);
}

static void keeps_pages_of_other_sites_from_its_control(void **state)
{
    (void)state;
    assert_memory_equal(caller_ask(&web.bound[DAEMON_CONFIG_CONTROL],
                                   "POST /log_filter?directives=debug",
                                   "Origin: http://evil.example\r\n"),
                        "403", 3);
    assert_false(log_is_on("daemon_web.c", LOG_LEVEL_DEBUG));
}

static void serves_a_site_of_the_daemons_own(void **state)
{
    (void)state;
    caller_expect(&own_bound, "GET /own", "200", "its own");
    assert_memory_equal(caller_ask(&web.bound[DAEMON_CONFIG_HEALTH], "GET /own", ""), "404", 3);
}

static void tells_the_metrics(void **state)
{
    static struct daemon_web second;
    const struct daemon_config metrics = {.sites = {[DAEMON_CONFIG_METRICS] = any}};

    (void)state;
    assert_int_equal(daemon_web_open(&second, &metrics, &subject), 0);
    assert_int_equal(daemon_web_start(&second), 0);
    const char *text = caller_ask(&second.bound[DAEMON_CONFIG_METRICS], "GET /metrics", "");
    assert_memory_equal(text, "200", 3);
    assert_non_null(strstr(text, "\r\nContent-Type: text/plain; version=0.0.4"));
    assert_non_null(strstr(text, "\r\n\r\nsessions 7\n"));
    daemon_web_close(&second);
}

static void needs_only_what_was_asked_for(void **state)
{
    static struct daemon_web second;

    (void)state;
    config.sites[DAEMON_CONFIG_HEALTH].addr = web.bound[DAEMON_CONFIG_HEALTH];
    config.sites[DAEMON_CONFIG_HEALTH].is_given = false;
    assert_int_equal(daemon_web_open(&second, &config, &subject), 0);
    assert_int_equal(second.bound[DAEMON_CONFIG_HEALTH].family, ADDR_NONE);
    assert_int_equal(second.bound[DAEMON_CONFIG_CONTROL].family, ADDR_IP4);
    daemon_web_close(&second);
    memset(&second, 0, sizeof second);
    config.sites[DAEMON_CONFIG_HEALTH].is_given = true;
    assert_int_equal(daemon_web_open(&second, &config, &subject), -EADDRINUSE);
    daemon_web_close(&second);
}

static void does_nothing_when_nothing_is_served(void **state)
{
    static struct daemon_web nothing;
    static const struct daemon_config none;

    (void)state;
    assert_int_equal(daemon_web_open(&nothing, &none, &subject), 0);
    assert_int_equal(daemon_web_start(&nothing), 0);
    assert_false(nothing.thread.is_running);
    daemon_web_stop(&nothing);
    daemon_web_close(&nothing);
    assert_null(nothing.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_how_the_daemon_is, setup, teardown),
        cmocka_unit_test_setup_teardown(replaces_the_log_filter, setup, teardown),
        cmocka_unit_test_setup_teardown(serves_each_site_at_its_own_address, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_pages_of_other_sites_from_its_control, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(serves_a_site_of_the_daemons_own, setup, teardown),
        cmocka_unit_test(tells_the_metrics),
        cmocka_unit_test_setup_teardown(needs_only_what_was_asked_for, setup, teardown),
        cmocka_unit_test(does_nothing_when_nothing_is_served),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
