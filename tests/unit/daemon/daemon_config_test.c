// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_file.h"
#include "daemon/daemon_errors.h"
#include "daemon/daemon_options.h"
#include "host.h"

static const struct conf_option options[] = {
    DAEMON_OPTIONS_METRICS_ADDR("All", NULL, "127.0.0.1:9642"),
    DAEMON_OPTIONS_HEALTH_CHECK_ADDR("All", NULL, "tunnel", "it is not served"),
    DAEMON_OPTIONS_CONTROL_ENDPOINT("All", NULL, "it is not served"),
    DAEMON_OPTIONS_NUM_WORKER_THREADS("All", NULL, "sessions", ""),
    DAEMON_OPTIONS_DRAIN_TIMEOUT("All", NULL, "tunnel", "sessions"),
    DAEMON_OPTIONS_LOG_FORMAT("All", NULL),
    DAEMON_OPTIONS_LOG_FILTER("All", NULL, "tunnel", ""),
    DAEMON_OPTIONS_CONTROL_SOCKET("All", NULL, "tunnel", "fairlead", "tunnel.sock",
                                  "status and top"),
};
static const struct conf_table table = {options, COUNT_OF(options)};

static struct conf conf;
static struct daemon_config config;

static void read_file(const char *text)
{
    conf_init(&conf, &table);
    conf_file_read(&conf, bytes_of_text(text), "daemon.conf");
    daemon_config_read(&conf, &config);
}

static void has_the_defaults_of_the_table(void **state)
{
    (void)state;
    read_file("");
    assert_int_equal(conf.errors.count, 0);
    assert_int_equal(config.sites[DAEMON_CONFIG_METRICS].addr.port, 9642);
    assert_false(config.sites[DAEMON_CONFIG_METRICS].is_given);
    assert_int_equal(config.sites[DAEMON_CONFIG_HEALTH].addr.family, ADDR_NONE);
    assert_int_equal(config.sites[DAEMON_CONFIG_CONTROL].addr.family, ADDR_NONE);
    assert_int_equal(config.log_format, LOG_LINE_HUMAN);
    host_expect_text(config.log_filter, "info");
    assert_int_equal(config.control_socket.len, 0);
    assert_int_equal(config.drain_timeout_s, 60);
    assert_int_equal(config.worker_count, 0);
}

static void reads_every_option(void **state)
{
    (void)state;
    read_file("metrics-addr = off\nhealth-check-addr = 127.0.0.1:1\ncontrol-endpoint = [::1]:2\n"
              "num-worker-threads = 256\ndrain-timeout = 604800\nlog-format = json\n"
              "log-filter = warn,io=debug\ncontrol-socket = none\n");
    assert_int_equal(conf.errors.count, 0);
    assert_int_equal(config.sites[DAEMON_CONFIG_METRICS].addr.family, ADDR_NONE);
    assert_true(config.sites[DAEMON_CONFIG_METRICS].is_given);
    assert_int_equal(config.sites[DAEMON_CONFIG_HEALTH].addr.port, 1);
    assert_true(config.sites[DAEMON_CONFIG_HEALTH].is_given);
    assert_int_equal(config.sites[DAEMON_CONFIG_CONTROL].addr.family, ADDR_IP6);
    assert_int_equal(config.worker_count, DAEMON_CONFIG_WORKER_MAX);
    assert_int_equal(config.drain_timeout_s, DAEMON_CONFIG_DRAIN_MAX_S);
    assert_int_equal(config.log_format, LOG_LINE_JSON);
    host_expect_text(config.log_filter, "warn,io=debug");
    host_expect_text(config.control_socket, "none");
    read_file("drain-timeout = 0\n");
    assert_int_equal(config.drain_timeout_s, 0);
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *line, *message;
    } cases[] = {
        {"metrics-addr = 9641", "is not an address and port such as"},
        {"health-check-addr = 0.0.0.0", "is not an address and port such as"},
        {"control-endpoint = on", "is not an address and port such as"},
        {"num-worker-threads = 0", "from 1 to 256"},
        {"num-worker-threads = 257", "from 1 to 256"},
        {"drain-timeout = 604801", "from 0 to 604800"},
        {"log-format = xml", "is none of: human, json, google-cloud"},
        {"log-filter = io=loud", "has no level out of off, error,"},
        {"control-socket = \"\"", "--control-socket"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        static uint8_t text[DAEMON_ERRORS_TEXT_MAX + 1];
        struct wr wr = wr_init(text, sizeof text - 1);
        read_file(cases[i].line);
        assert_int_equal(conf.errors.count, 1);
        daemon_errors_write(&wr, &conf.errors, "program");
        text[wr.len] = '\0';
        if (strstr((char *)text, cases[i].message) == NULL) {
            fail_msg("%s says: %s", cases[i].line, (char *)text);
        }
    }
}

static void does_without_options_that_a_table_has_not(void **state)
{
    static const struct conf_option few[] = {DAEMON_OPTIONS_LOG_FORMAT("All", NULL)};
    static const struct conf_table few_table = {few, COUNT_OF(few)};

    (void)state;
    conf_init(&conf, &few_table);
    conf_file_read(&conf, bytes_of_text("log-format = json\n"), "daemon.conf");
    daemon_config_read(&conf, &config);
    assert_int_equal(conf.errors.count, 0);
    assert_int_equal(config.log_format, LOG_LINE_JSON);
    host_expect_text(config.log_filter, "info");
    assert_int_equal(config.drain_timeout_s, 0);
    for (size_t i = 0; i < DAEMON_CONFIG_SITE_COUNT; i++) {
        assert_int_equal(config.sites[i].addr.family, ADDR_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_defaults_of_the_table),
        cmocka_unit_test(reads_every_option),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(does_without_options_that_a_table_has_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
