// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_otlp.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "telemetry/wire.h"

static struct telemetry_arena arena;
static struct telemetry_resource resource;

static int open_arena(void **state)
{
    (void)state;
    telemetry_resource_init(&resource);
    return telemetry_arena_open(&arena, 4096);
}

static int close_arena(void **state)
{
    (void)state;
    telemetry_arena_close(&arena);
    return 0;
}

static void a_resource_is_its_attributes(void **state)
{
    uint8_t text[256];
    struct wr wr = wr_init(text, sizeof text);

    (void)state;
    assert_true(telemetry_resource_set(&resource, bytes_of_text("a"), bytes_of_text("b")));
    assert_true(telemetry_resource_set(&resource, bytes_of_text("c"), bytes_of_text("")));
    const Otlp__Resource *message = telemetry_otlp_resource(&arena, &resource);
    assert_non_null(message);
    assert_true(telemetry_otlp_pack(&arena, &message->base, &wr));
    assert_int_equal(wire_count(wr_done(&wr), 1), 2);
    assert_true(wire_is_text(wire_attribute(wr_done(&wr), 1, "a"), 1, "b"));
    assert_true(wire_is_text(wire_attribute(wr_done(&wr), 1, "c"), 1, ""));
}

static void a_scope_has_a_name_and_our_version(void **state)
{
    uint8_t text[256];
    struct wr wr = wr_init(text, sizeof text);

    (void)state;
    const Otlp__Scope *message = telemetry_otlp_scope(&arena, "relay");
    assert_non_null(message);
    assert_true(telemetry_otlp_pack(&arena, &message->base, &wr));
    assert_true(wire_is_text(wr_done(&wr), 1, "relay"));
    assert_true(wire_is_text(wr_done(&wr), 2, FAIRLEAD_VERSION));
}

static void labels_end_where_one_has_no_key(void **state)
{
    static const struct metric_label labels[] = {{"a", "b"}, {"c", "d"}, {0}, {"e", "f"}};
    size_t count = 7;

    (void)state;
    assert_non_null(telemetry_otlp_labels(&arena, labels, COUNT_OF(labels), &count));
    assert_int_equal(count, 2);
    assert_non_null(telemetry_otlp_labels(&arena, labels, 1, &count));
    assert_int_equal(count, 1);
    assert_null(telemetry_otlp_labels(&arena, labels + 2, 2, &count));
    assert_int_equal(count, 0);
}

static void what_has_gaps_is_not_packed(void **state)
{
    uint8_t text[256];
    struct wr wr = wr_init(text, sizeof text);
    struct wr small = wr_init(text, 3);

    (void)state;
    const Otlp__Scope *message = telemetry_otlp_scope(&arena, "relay");
    assert_non_null(message);
    assert_false(telemetry_otlp_pack(&arena, &message->base, &small));
    assert_int_equal(small.len, 0);
    assert_null(telemetry_arena_take(&arena, 5000, 1));
    assert_false(telemetry_otlp_pack(&arena, &message->base, &wr));
    assert_int_equal(wr.len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_resource_is_its_attributes, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(a_scope_has_a_name_and_our_version, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(labels_end_where_one_has_no_key, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(what_has_gaps_is_not_packed, open_arena, close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
