// SPDX-License-Identifier: Apache-2.0
// What can be seen of it without a collector; tests/conform/otlp_test.py has some.
#include "daemon/daemon_otlp.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"

struct numbers {
    uint64_t sessions;
};

static const struct telemetry_otlp_scope scope = {"tunnel", "tunnel."};
static const struct metric_series series[] = {{offsetof(struct numbers, sessions)}};
static const struct metric_family families[] = {
    {"tunnel.sessions", "{session}", "Sessions.", METRIC_COUNTER, 1, NULL, series, 1},
};

// What was called, in the telemetry thread: read it when that has ended.
static struct {
    size_t waiting_count;
    size_t snapshot_count;
    size_t gather_count;
    size_t write_count;
    size_t drop_count;
} seen;
static struct daemon_otlp otlp;
static struct daemon_otlp_config config;

static void snapshot_take(void *context, void *out)
{
    struct numbers *numbers = out;

    assert_ptr_equal(context, &seen);
    seen.snapshot_count++;
    numbers->sessions++;
}

static size_t spans_gather(void *context)
{
    assert_ptr_equal(context, &seen);
    seen.gather_count++;
    return seen.waiting_count;
}

static bool spans_write(void *context, struct telemetry_arena *arena,
                        const struct telemetry_resource *resource, struct wr *wr)
{
    assert_ptr_equal(context, &seen);
    assert_non_null(arena);
    assert_non_null(resource);
    seen.write_count++;
    wr_text(wr, "spans");
    return true;
}

static void spans_drop(void *context)
{
    assert_ptr_equal(context, &seen);
    seen.drop_count++;
}

static const struct daemon_otlp_subject subject = {
    .scopes = &scope,
    .scope_count = 1,
    .families = families,
    .family_count = COUNT_OF(families),
    .snapshot_size = sizeof(struct numbers),
    .snapshot_take = snapshot_take,
    .spans_gather = spans_gather,
    .spans_write = spans_write,
    .spans_drop = spans_drop,
    .context = &seen,
};

static int empty_all(void **state)
{
    (void)state;
    memset(&otlp, 0, sizeof otlp);
    memset(&config, 0, sizeof config);
    memset(&seen, 0, sizeof seen);
    host_log_open(LOG_LINE_HUMAN);
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    daemon_otlp_close(&otlp);
    daemon_otlp_close(&otlp);
    host_log_close();
    return 0;
}

static void want(enum telemetry_signal signal)
{
    for (size_t i = 0; i < COUNT_OF(config.signals); i++) {
        config.signals[i].timeout_ms = 100;
    }
    config.interval_ms = 60000;
    config.service = "tunnel";
    config.space = "fairlead";
    config.signals[signal] = (struct daemon_otlp_config_signal){
        .is_on = true,
        .protocol = TELEMETRY_HTTP,
        .endpoint.authority = bytes_of_text("127.0.0.1:9"),
    };
}

static void does_nothing_unless_it_is_wanted(void **state)
{
    (void)state;
    assert_int_equal(daemon_otlp_open(&otlp, &config, &subject), 0);
    assert_false(otlp.is_open);
    assert_int_equal(daemon_otlp_start(&otlp), 0);
    assert_false(otlp.thread.is_running);
    daemon_otlp_stop(&otlp);
    assert_string_equal(host_log(), "");
}

static void refuses_a_certificate_that_is_not_there(void **state)
{
    (void)state;
    want(TELEMETRY_TRACES);
    config.signals[TELEMETRY_TRACES].certificate = bytes_of_text("/does/not/exist");
    assert_int_equal(daemon_otlp_open(&otlp, &config, &subject), -ENOENT);
    assert_false(otlp.is_open);
    assert_non_null(strstr(host_log(), "ERROR --otlp-certificate cannot be read"));
}

// Nobody listens there, so that all is to be sent another time, which does not come.
static void what_was_not_taken_is_not_dropped(void **state)
{
    (void)state;
    want(TELEMETRY_TRACES);
    want(TELEMETRY_METRICS);
    seen.waiting_count = 3;
    assert_int_equal(daemon_otlp_open(&otlp, &config, &subject), 0);
    assert_string_equal(otlp.signals[TELEMETRY_TRACES].target.url, "http://127.0.0.1:9/v1/traces");
    assert_int_equal(daemon_otlp_start(&otlp), 0);
    assert_true(otlp.thread.is_running);
    daemon_otlp_stop(&otlp);
    assert_false(otlp.thread.is_running);
    assert_true(seen.snapshot_count > 0);
    assert_true(seen.write_count > 0);
    assert_int_equal(seen.drop_count, 0);
    assert_int_equal(((struct numbers *)otlp.before)->sessions, 0);
    const char *log = host_log();
    assert_non_null(strstr(log, "INFO telemetry signal=metrics collector=127.0.0.1:9 protocol="));
    assert_non_null(strstr(log, "WARN telemetry was not taken signal=metrics"));
    assert_non_null(strstr(log, "WARN telemetry was not taken signal=traces"));
}

static void asks_only_for_what_is_sent(void **state)
{
    (void)state;
    want(TELEMETRY_TRACES);
    assert_int_equal(daemon_otlp_open(&otlp, &config, &subject), 0);
    assert_false(otlp.signals[TELEMETRY_METRICS].is_on);
    assert_int_equal(daemon_otlp_start(&otlp), 0);
    daemon_otlp_stop(&otlp);
    assert_int_equal(seen.snapshot_count, 0);
    assert_true(seen.gather_count > 0);
    assert_int_equal(seen.write_count, 0); // none wait
}

static void can_do_without_spans(void **state)
{
    struct daemon_otlp_subject metrics = subject;

    (void)state;
    want(TELEMETRY_TRACES);
    metrics.spans_gather = NULL;
    assert_int_equal(daemon_otlp_open(&otlp, &config, &metrics), 0);
    assert_int_equal(daemon_otlp_start(&otlp), 0);
    daemon_otlp_stop(&otlp);
    assert_int_equal(seen.gather_count + seen.write_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(does_nothing_unless_it_is_wanted, empty_all, close_all),
        cmocka_unit_test_setup_teardown(refuses_a_certificate_that_is_not_there, empty_all,
                                        close_all),
        cmocka_unit_test_setup_teardown(what_was_not_taken_is_not_dropped, empty_all, close_all),
        cmocka_unit_test_setup_teardown(asks_only_for_what_is_sent, empty_all, close_all),
        cmocka_unit_test_setup_teardown(can_do_without_spans, empty_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
