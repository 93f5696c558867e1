// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_prometheus.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static const uint64_t upper[] = {5000, 2500000};
static const struct histogram_bounds bounds = {upper, COUNT_OF(upper)};

static struct {
    uint64_t plain;
    uint64_t other;
    uint64_t waits[HISTOGRAM_LEN(COUNT_OF(upper))];
} counters;

#define AT(field) ((uintptr_t)&counters.field - (uintptr_t)&counters)

static char text[4096];

static const char *written(const struct metric_family *family)
{
    struct wr wr = wr_init((uint8_t *)text, sizeof text - 1);

    telemetry_prometheus_write(&wr, family, 1, &counters);
    assert_true(wr_ok(&wr));
    text[wr.len] = '\0';
    return text;
}

static void a_counter_has_its_unit_and_its_labels(void **state)
{
    const struct metric_series series[] = {
        {AT(plain), {{"relay.path", "userspace"}, {"code", "401", METRIC_LABEL_NUMBER}}},
        {AT(other), {{0}}},
    };
    const struct metric_family family = {
        "relay.packet.size", "By", "Bytes.", METRIC_COUNTER, 0, NULL, series, COUNT_OF(series),
    };

    (void)state;
    counters.plain = UINT64_MAX;
    counters.other = 0;
    assert_string_equal(written(&family),
                        "# HELP relay_packet_size_bytes_total Bytes.\n"
                        "# TYPE relay_packet_size_bytes_total counter\n"
                        "relay_packet_size_bytes_total{relay_path=\"userspace\",code=\"401\"} "
                        "18446744073709551615\n"
                        "relay_packet_size_bytes_total 0\n");
}

static void a_gauge_of_things_has_its_name_alone(void **state)
{
    const struct metric_series series = {AT(plain), {{0}}};
    const struct metric_family family = {
        "relay.active-things", "{thing}", "Things.", METRIC_GAUGE, 0, NULL, &series, 1,
    };

    (void)state;
    counters.plain = 12;
    assert_string_equal(written(&family), "# HELP relay_active_things Things.\n"
                                          "# TYPE relay_active_things gauge\n"
                                          "relay_active_things 12\n");
}

static void a_foreign_name_stays_as_it_is(void **state)
{
    const struct metric_series series = {AT(plain), {{0}}};
    const struct metric_family family = {
        "turn_traffic_rcvb", "By", "Bytes.", METRIC_FOREIGN, 0, NULL, &series, 1,
    };

    (void)state;
    counters.plain = 1;
    assert_string_equal(written(&family), "# HELP turn_traffic_rcvb Bytes.\n"
                                          "# TYPE turn_traffic_rcvb untyped\n"
                                          "turn_traffic_rcvb 1\n");
}

static void what_is_written_cannot_break_a_line(void **state)
{
    const struct metric_series series = {AT(plain), {{"k", "a\"b\\c\nx"}}};
    const struct metric_family family = {
        "x", "1", "One \"line\",\nand \\ more.", METRIC_GAUGE, 0, NULL, &series, 1,
    };

    (void)state;
    counters.plain = 1;
    assert_string_equal(written(&family), "# HELP x One \"line\",\\nand \\\\ more.\n"
                                          "# TYPE x gauge\n"
                                          "x{k=\"a\\\"b\\\\c\\nx\"} 1\n");
}

// Whether the unit is "ns", or "s" of which a step is a billionth, Prometheus wants seconds.
static void a_histogram_of_time_is_in_seconds(void **state)
{
    const struct metric_series bare = {AT(waits), {{0}}};
    const struct metric_series labelled = {AT(waits), {{"n", "1"}}};
    const struct metric_family of_ns = {
        "x.duration", "ns", "Time.", METRIC_HISTOGRAM, 0, &bounds, &bare, 1,
    };
    const struct metric_family of_s = {
        "x.duration", "s", "Time.", METRIC_HISTOGRAM, 1000000000, &bounds, &labelled, 1,
    };
    const uint64_t waits[] = {3, 0, 4, 6000000001};

    (void)state;
    memcpy(counters.waits, waits, sizeof waits);
    assert_string_equal(written(&of_ns), "# HELP x_duration_seconds Time.\n"
                                         "# TYPE x_duration_seconds histogram\n"
                                         "x_duration_seconds_bucket{le=\"0.000005\"} 3\n"
                                         "x_duration_seconds_bucket{le=\"0.0025\"} 3\n"
                                         "x_duration_seconds_bucket{le=\"+Inf\"} 7\n"
                                         "x_duration_seconds_sum 6.000000001\n"
                                         "x_duration_seconds_count 7\n");
    assert_string_equal(written(&of_s), "# HELP x_duration_seconds Time.\n"
                                        "# TYPE x_duration_seconds histogram\n"
                                        "x_duration_seconds_bucket{n=\"1\",le=\"0.000005\"} 3\n"
                                        "x_duration_seconds_bucket{n=\"1\",le=\"0.0025\"} 3\n"
                                        "x_duration_seconds_bucket{n=\"1\",le=\"+Inf\"} 7\n"
                                        "x_duration_seconds_sum{n=\"1\"} 6.000000001\n"
                                        "x_duration_seconds_count{n=\"1\"} 7\n");
}

static void too_little_room_is_told(void **state)
{
    const struct metric_series series = {AT(plain), {{0}}};
    const struct metric_family family = {
        "x", "1", "Help.", METRIC_GAUGE, 0, NULL, &series, 1,
    };
    const size_t len = strlen(written(&family));

    (void)state;
    for (size_t room = 0; room < len; room++) {
        struct wr wr = wr_init((uint8_t *)text, room);
        telemetry_prometheus_write(&wr, &family, 1, &counters);
        assert_false(wr_ok(&wr));
    }
}

static void a_family_of_none_is_not_there(void **state)
{
    const struct metric_family family = {
        "x", "1", "Help.", METRIC_GAUGE, 0, NULL, NULL, 0,
    };

    (void)state;
    assert_string_equal(written(&family), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_counter_has_its_unit_and_its_labels),
        cmocka_unit_test(a_gauge_of_things_has_its_name_alone),
        cmocka_unit_test(a_foreign_name_stays_as_it_is),
        cmocka_unit_test(what_is_written_cannot_break_a_line),
        cmocka_unit_test(a_histogram_of_time_is_in_seconds),
        cmocka_unit_test(too_little_room_is_told),
        cmocka_unit_test(a_family_of_none_is_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
