// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

// As a program would have them.
static const struct conf_option options[] = {
    DAEMON_OPTIONS_METRICS_ADDR("All", "X_METRICS_ADDR", "127.0.0.1:9642"),
    DAEMON_OPTIONS_HEALTH_CHECK_ADDR("All", "X_HEALTH_CHECK_ADDR", "tunnel", "it is not served"),
    DAEMON_OPTIONS_CONTROL_ENDPOINT("All", "X_CONTROL_ENDPOINT", "it is not served"),
    DAEMON_OPTIONS_NUM_WORKER_THREADS("All", "X_WORKERS", "sessions", ""),
    DAEMON_OPTIONS_DRAIN_TIMEOUT("All", "X_DRAIN", "tunnel", "sessions"),
    DAEMON_OPTIONS_CONFIG("All", "X_CONFIG"),
    DAEMON_OPTIONS_CHECK_CONFIG("All"),
    DAEMON_OPTIONS_LOG_FORMAT("All", "X_FORMAT"),
    DAEMON_OPTIONS_LOG_FILTER("All", "X_FILTER", "tunnel or io", ""),
    DAEMON_OPTIONS_CONTROL_SOCKET("All", "X_SOCKET", "tunnel", "fairlead", "tunnel.sock",
                                  "status and top"),
    DAEMON_OPTIONS_VERSION("All"),
    DAEMON_OPTIONS_HELP("All"),
};
static const struct conf_table table = {options, COUNT_OF(options)};

static const struct conf_option ask_options[] = {
    DAEMON_OPTIONS_ASK_SOCKET("All", NULL, "tunnel"),
    DAEMON_OPTIONS_HELP("All"),
};
static const struct conf_table ask_table = {ask_options, COUNT_OF(ask_options)};

static const struct conf_option *option(const struct conf_table *of, const char *name)
{
    const struct conf_option *found = conf_option_find(of, bytes_of_text(name));

    assert_non_null(found);
    return found;
}

static void make_sound_tables(void **state)
{
    (void)state;
    conf_option_check(&table);
    conf_option_check(&ask_table);
}

static void say_what_differs_in_the_programs_words(void **state)
{
    (void)state;
    assert_string_equal(option(&table, "metrics-addr")->environment, "X_METRICS_ADDR");
    assert_string_equal(option(&table, "metrics-addr")->default_text, "127.0.0.1:9642");
    assert_string_equal(option(&table, "num-worker-threads")->help,
                        "Threads that relay, up to 256. Each has its share of the sessions.");
    assert_non_null(strstr(option(&table, "drain-timeout")->help,
                           "How long the tunnel, once it is told to end, goes on for the sessions "
                           "that are there: "));
    assert_non_null(strstr(option(&table, "log-filter")->help,
                           "such as tunnel or io; the longest that fits decides. What no "));
    assert_string_equal(option(&table, "control-socket")->default_note,
                        "tunnel.sock in $RUNTIME_DIRECTORY, /run/fairlead for root, or "
                        "$XDG_RUNTIME_DIR/fairlead");
    assert_string_equal(
        option(&table, "control-socket")->help,
        "Where status and top ask the tunnel, which answers root and the user who "
        "started it. none: nowhere. An ordinary user who has no $XDG_RUNTIME_DIR has no such "
        "socket unless its path is given here.");
    assert_string_equal(option(&ask_table, "control-socket")->default_note,
                        "where a tunnel of this user has it");
    assert_null(option(&ask_table, "control-socket")->environment);
}

// What a running daemon can change, and what makes no sense in a file.
static void are_reloaded_or_outside_the_file(void **state)
{
    static const char *const reloaded[] = {"drain-timeout", "log-filter"};
    static const char *const outside[] = {"config", "check-config", "version", "help"};
    size_t reloaded_count = 0;
    size_t outside_count = 0;

    (void)state;
    for (size_t i = 0; i < table.count; i++) {
        reloaded_count += options[i].is_reloaded;
        outside_count += options[i].is_outside_file;
    }
    assert_int_equal(reloaded_count, COUNT_OF(reloaded));
    assert_int_equal(outside_count, COUNT_OF(outside));
    for (size_t i = 0; i < COUNT_OF(reloaded); i++) {
        assert_true(option(&table, reloaded[i])->is_reloaded);
    }
    for (size_t i = 0; i < COUNT_OF(outside); i++) {
        assert_true(option(&table, outside[i])->is_outside_file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(make_sound_tables),
        cmocka_unit_test(say_what_differs_in_the_programs_words),
        cmocka_unit_test(are_reloaded_or_outside_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
