// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_otlp_metrics.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "telemetry/wire.h"

enum { DELTA = 1, CUMULATIVE = 2 };

struct counters {
    uint64_t sent;
    uint64_t lost;
    uint64_t live;
    uint64_t foreign;
    uint64_t waits[HISTOGRAM_LEN(2)]; // ns
};

static const uint64_t upper[] = {5000, 2500000};
static const struct histogram_bounds bounds = {upper, COUNT_OF(upper)};
static const struct metric_series sent[] = {
    {offsetof(struct counters, sent), {{"how", "well"}, {"code", "438", METRIC_LABEL_NUMBER}}},
    {offsetof(struct counters, lost), {{"how", "badly"}}},
};
static const struct metric_series live[] = {{offsetof(struct counters, live)}};
static const struct metric_series foreign[] = {{offsetof(struct counters, foreign)}};
static const struct metric_series truth[] = {{offsetof(struct counters, live)}};
static const struct metric_series waits[] = {{offsetof(struct counters, waits)}};
static const struct metric_family families[] = {
    {"relay.sent", "{packet}", "Sent.", METRIC_COUNTER, 0, NULL, sent, COUNT_OF(sent)},
    {"relay.live", "{thing}", "Live.", METRIC_GAUGE, 0, NULL, live, COUNT_OF(live)},
    {"turn_foreign", "1", "Foreign.", METRIC_FOREIGN, 0, NULL, foreign, COUNT_OF(foreign)},
    {"relay.truth", "1", "Truth.", METRIC_GAUGE, 0, NULL, truth, COUNT_OF(truth)},
    {"loop.sent", "{packet}", "Sent.", METRIC_COUNTER, 0, NULL, sent, COUNT_OF(sent)},
    {"relay.wait", "s", "Waits.", METRIC_HISTOGRAM, 1000000000, &bounds, waits, COUNT_OF(waits)},
};

static const struct telemetry_otlp_scope scopes[] = {
    {"mine", "relay."}, {"none", "x."}, {"other", "loop."}};

static const struct counters before = {
    .sent = 10, .lost = 3, .live = 9, .foreign = 1, .waits = {1, 2, 3, 9000000}};
static const struct counters now = {
    .sent = 17, .lost = 3, .live = 4, .foreign = 5, .waits = {4, 2, 4, 9600000}};

static struct telemetry_arena arena;
static struct telemetry_resource resource;
static struct telemetry_otlp_metrics metrics;
static uint8_t text[8192];

static int set_up(void **state)
{
    (void)state;
    telemetry_resource_init(&resource);
    metrics = (struct telemetry_otlp_metrics){
        .resource = &resource,
        .scopes = scopes,
        .scope_count = COUNT_OF(scopes),
        .families = families,
        .family_count = COUNT_OF(families),
        .now = &now,
        .before = &before,
        .window = {.start_ns = 100, .since_ns = 200, .now_ns = 300},
    };
    return telemetry_arena_open(&arena, 16384);
}

static int tear_down(void **state)
{
    (void)state;
    telemetry_arena_close(&arena);
    return 0;
}

// What there is of the first scope.
static struct bytes scope_metrics(void)
{
    struct wr wr = wr_init(text, sizeof text);

    assert_true(telemetry_otlp_metrics_write(&metrics, &arena, &wr));
    const struct bytes from = wire_bytes(wr_done(&wr), 1); // resource_metrics
    assert_int_equal(wire_count(from, 1), 1);
    return wire_at(from, 2, 0).bytes;
}

static struct bytes metric_of(const char *name)
{
    const struct bytes group = scope_metrics();

    for (uint32_t i = 0; i < wire_count(group, 2); i++) {
        const struct bytes metric = wire_at(group, 2, i).bytes;
        if (wire_is_text(metric, 1, name)) {
            return metric;
        }
    }
    fail_msg("no metric %s", name);
    return group;
}

static void a_counter_is_a_delta(void **state)
{
    (void)state;
    const struct bytes metric = metric_of("relay.sent");
    assert_true(wire_is_text(metric, 2, "Sent."));
    assert_true(wire_is_text(metric, 3, "{packet}"));
    const struct bytes sum = wire_bytes(metric, 7);
    assert_int_equal(wire_value(sum, 2), DELTA);
    assert_int_equal(wire_value(sum, 3), 1);       // monotonic
    const struct bytes point = wire_bytes(sum, 1); // the other one's delta is 0
    assert_int_equal(wire_value(point, 2), 200);
    assert_int_equal(wire_value(point, 3), 300);
    assert_int_equal(wire_value(point, 6), 7);
    assert_int_equal(wire_at(point, 6, 0).type, 1);
    assert_true(wire_is_text(wire_attribute(point, 7, "how"), 1, "well"));
    assert_int_equal(wire_value(wire_attribute(point, 7, "code"), 3), 438);
}

static void what_falls_too_is_cumulative(void **state)
{
    (void)state;
    const struct bytes sum = wire_bytes(metric_of("relay.live"), 7);
    assert_int_equal(wire_value(sum, 2), CUMULATIVE);
    assert_int_equal(wire_count(sum, 3), 0); // not monotonic
    const struct bytes point = wire_bytes(sum, 1);
    assert_int_equal(wire_value(point, 2), 100);
    assert_int_equal(wire_value(point, 6), 4);
    assert_int_equal(wire_count(point, 7), 0);
}

static void a_histogram_is_a_delta_in_its_unit(void **state)
{
    (void)state;
    const struct bytes metric = metric_of("relay.wait");
    assert_true(wire_is_text(metric, 3, "s"));
    const struct bytes histogram = wire_bytes(metric, 9);
    assert_int_equal(wire_value(histogram, 2), DELTA);
    const struct bytes point = wire_bytes(histogram, 1);
    assert_int_equal(wire_value(point, 2), 200);
    assert_int_equal(wire_value(point, 4), 4); // count
    assert_int_equal(wire_at(point, 4, 0).type, 1);
    assert_true(wire_double(point, 5) == 0.0006);
    const struct bytes counts = wire_bytes(point, 6);
    assert_int_equal(counts.len, 3 * 8);
    assert_int_equal(wire_packed(counts, 0), 3);
    assert_int_equal(wire_packed(counts, 1), 0);
    assert_int_equal(wire_packed(counts, 2), 1);
    const struct bytes edges = wire_bytes(point, 7);
    assert_int_equal(edges.len, 2 * 8);
    assert_true(wire_packed_double(edges, 0) == 0.000005);
    assert_true(wire_packed_double(edges, 1) == 0.0025);
}

static void what_is_not_ours_and_what_is_nothing_is_left_out(void **state)
{
    (void)state;
    assert_int_equal(wire_count(scope_metrics(), 2), 4);
    metrics.before = &now;
    assert_int_equal(wire_count(scope_metrics(), 2), 2); // what falls too is always told
}

static void what_cannot_be_added_is_a_gauge(void **state)
{
    (void)state;
    const struct bytes metric = metric_of("relay.truth");
    assert_int_equal(wire_count(metric, 7), 0);
    const struct bytes point = wire_bytes(wire_bytes(metric, 5), 1);
    assert_int_equal(wire_value(point, 3), 300);
    assert_int_equal(wire_value(point, 6), 4);
}

static void each_metric_is_of_the_scope_that_its_name_tells(void **state)
{
    struct wr wr = wr_init(text, sizeof text);

    (void)state;
    assert_true(telemetry_otlp_metrics_write(&metrics, &arena, &wr));
    const struct bytes from = wire_bytes(wr_done(&wr), 1);
    assert_int_equal(wire_count(from, 2), 2); // none is of the one between them
    const struct bytes first = wire_at(from, 2, 0).bytes;
    const struct bytes second = wire_at(from, 2, 1).bytes;
    assert_true(wire_is_text(wire_bytes(first, 1), 1, "mine"));
    assert_true(wire_is_text(wire_bytes(second, 1), 1, "other"));
    assert_int_equal(wire_count(first, 2), 4);
    assert_true(wire_is_text(wire_bytes(second, 2), 1, "loop.sent"));
}

static void cumulative_tells_totals_since_the_start(void **state)
{
    (void)state;
    metrics.window.temporality = TELEMETRY_OTLP_CUMULATIVE;
    const struct bytes sum = wire_bytes(metric_of("relay.sent"), 7);
    assert_int_equal(wire_value(sum, 2), CUMULATIVE);
    assert_int_equal(wire_count(sum, 1), 2);
    assert_int_equal(wire_value(wire_at(sum, 1, 0).bytes, 2), 100);
    assert_int_equal(wire_value(wire_at(sum, 1, 0).bytes, 6), 17);
    assert_int_equal(wire_value(wire_at(sum, 1, 1).bytes, 6), 3);
    const struct bytes point = wire_bytes(wire_bytes(metric_of("relay.wait"), 9), 1);
    assert_int_equal(wire_value(point, 2), 100);
    assert_int_equal(wire_value(point, 4), 10);
    metrics.now = &(const struct counters){0};
    assert_int_equal(wire_value(wire_at(wire_bytes(metric_of("relay.sent"), 7), 1, 0).bytes, 6), 0);
    assert_true(wire_double(wire_bytes(wire_bytes(metric_of("relay.wait"), 9), 1), 5) ==
                0); // it is there
}

static void what_begins_anew_is_told_from_nothing(void **state)
{
    static const struct counters anew = {.sent = 2};

    (void)state;
    metrics.now = &anew;
    const struct bytes point = wire_bytes(wire_bytes(metric_of("relay.sent"), 7), 1);
    assert_int_equal(wire_value(point, 6), 2);
}

static void refuses_what_does_not_fit(void **state)
{
    struct wr wr = wr_init(text, 50);
    struct telemetry_arena small;

    (void)state;
    assert_false(telemetry_otlp_metrics_write(&metrics, &arena, &wr));
    wr = wr_init(text, sizeof text);
    for (size_t size = 16; size < 1024; size += 16) {
        assert_int_equal(telemetry_arena_open(&small, size), 0);
        assert_false(telemetry_otlp_metrics_write(&metrics, &small, &wr));
        telemetry_arena_close(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_counter_is_a_delta, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_falls_too_is_cumulative, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_histogram_is_a_delta_in_its_unit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_ours_and_what_is_nothing_is_left_out, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_added_is_a_gauge, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_metric_is_of_the_scope_that_its_name_tells, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(cumulative_tells_totals_since_the_start, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_begins_anew_is_told_from_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_what_does_not_fit, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
