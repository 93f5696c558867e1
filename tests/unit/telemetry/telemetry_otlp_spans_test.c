// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_otlp_spans.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "telemetry/wire.h"

static struct telemetry_arena arena;
static struct telemetry_resource resource;
static uint8_t text[4096];

static const struct telemetry_otlp_span spans[] = {
    {
        .trace_id = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
        .span_id = {21, 22, 23, 24, 25, 26, 27, 28},
        .name = "Allocate",
        .start_ns = UINT64_C(1700000000000000001),
        .end_ns = UINT64_C(1700000000000050001),
        .labels = {{"a", "b"},
                   {"stun.error_code", "401", METRIC_LABEL_NUMBER},
                   {"is", "true", METRIC_LABEL_TRUTH}},
    },
    {
        .trace_id = {31},
        .span_id = {41},
        .name = "Refresh",
        .start_ns = 7,
        .end_ns = 7,
        .failure = "Insufficient Capacity",
    },
};

static int open_arena(void **state)
{
    (void)state;
    telemetry_resource_init(&resource);
    return telemetry_arena_open(&arena, 8192);
}

static int close_arena(void **state)
{
    (void)state;
    telemetry_arena_close(&arena);
    return 0;
}

static struct bytes scope_spans(void)
{
    struct wr wr = wr_init(text, sizeof text);

    assert_true(
        telemetry_resource_set(&resource, bytes_of_text("service.name"), bytes_of_text("relay")));
    assert_true(
        telemetry_otlp_spans_write(&arena, &resource, "relay", spans, COUNT_OF(spans), &wr));
    const struct bytes from = wire_bytes(wr_done(&wr), 1); // resource_spans
    assert_true(wire_is_text(wire_attribute(wire_bytes(from, 1), 1, "service.name"), 1, "relay"));
    return wire_bytes(from, 2);
}

static void a_span_has_the_fields_of_the_standard(void **state)
{
    (void)state;
    const struct bytes group = scope_spans();
    assert_true(wire_is_text(wire_bytes(group, 1), 1, "relay"));
    assert_int_equal(wire_count(group, 2), 2);
    const struct bytes span = wire_at(group, 2, 0).bytes;
    assert_memory_equal(wire_bytes(span, 1).ptr, spans[0].trace_id, 16);
    assert_int_equal(wire_bytes(span, 1).len, 16);
    assert_memory_equal(wire_bytes(span, 2).ptr, spans[0].span_id, 8);
    assert_int_equal(wire_bytes(span, 2).len, 8);
    assert_int_equal(wire_count(span, 4), 0); // no parent
    assert_true(wire_is_text(span, 5, "Allocate"));
    assert_int_equal(wire_value(span, 6), 2); // SERVER
    assert_int_equal(wire_value(span, 7), spans[0].start_ns);
    assert_int_equal(wire_value(span, 8), spans[0].end_ns);
    assert_int_equal(wire_at(span, 7, 0).type, 1);
    assert_true(wire_is_text(wire_attribute(span, 9, "a"), 1, "b"));
    assert_int_equal(wire_value(wire_attribute(span, 9, "stun.error_code"), 3), 401);
    assert_int_equal(wire_value(wire_attribute(span, 9, "is"), 2), 1);
    assert_int_equal(wire_count(span, 15), 0); // no status: unset
    assert_int_equal(wire_value(span, 16), 1); // sampled
    assert_int_equal(wire_at(span, 16, 0).type, 5);
}

static void a_failure_is_a_status(void **state)
{
    (void)state;
    const struct bytes span = wire_at(scope_spans(), 2, 1).bytes;
    const struct bytes status = wire_bytes(span, 15);
    assert_true(wire_is_text(status, 2, "Insufficient Capacity"));
    assert_int_equal(wire_value(status, 3), 2);
}

static void refuses_what_does_not_fit(void **state)
{
    struct wr wr = wr_init(text, 20);
    struct telemetry_arena small;

    (void)state;
    assert_false(
        telemetry_otlp_spans_write(&arena, &resource, "relay", spans, COUNT_OF(spans), &wr));
    wr = wr_init(text, sizeof text);
    for (size_t size = 16; size < 512; size += 16) {
        assert_int_equal(telemetry_arena_open(&small, size), 0);
        assert_false(
            telemetry_otlp_spans_write(&small, &resource, "relay", spans, COUNT_OF(spans), &wr));
        telemetry_arena_close(&small);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_span_has_the_fields_of_the_standard, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(a_failure_is_a_status, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(refuses_what_does_not_fit, open_arena, close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
