// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_spans.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define ALL (UINT64_C(1) << 32)

static struct tunnel_spans spans;
static struct tunnel_span span;
static uint64_t lost;

static struct now at(uint64_t second)
{
    return (struct now){.mono_ns = second * SECOND_NS};
}

static void put(uint64_t byte_count)
{
    static struct tunnel_session session;

    session.begun_ns = 100 * SECOND_NS;
    session.waited_ns = SECOND_NS / 2;
    session.from.family = ADDR_IP6;
    session.why = IO_PUMP_LOST_A;
    session.pump.flows[0].byte_count = byte_count;
    session.pump.flows[1].byte_count = 7;
    tunnel_spans_put(&spans, &session, at(101));
}

static void begins_when_the_client_comes(void **state)
{
    (void)state;
    tunnel_spans_init(&spans, ALL, 1);
    put(5);
    assert_true(tunnel_spans_take(&spans, &span, &lost));
    assert_int_equal(span.start_ns, 100 * SECOND_NS - SECOND_NS / 2);
    assert_int_equal(span.joined_ns, 100 * SECOND_NS);
    assert_int_equal(span.end_ns, 101 * SECOND_NS);
    assert_int_equal(span.bytes[0], 5);
    assert_int_equal(span.bytes[1], 7);
    assert_int_equal(span.why, IO_PUMP_LOST_A);
    assert_true(span.is_ip6);
    assert_false(tunnel_spans_take(&spans, &span, &lost));
    assert_int_equal(lost, 0);
}

static void takes_the_oldest_first_and_counts_what_it_had_no_room_for(void **state)
{
    (void)state;
    tunnel_spans_init(&spans, ALL, 1);
    for (uint64_t round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < TUNNEL_SPANS_MAX + 5; i++) {
            put(i);
        }
        for (uint64_t i = 0; i < TUNNEL_SPANS_MAX; i++) {
            assert_true(tunnel_spans_take(&spans, &span, &lost));
            assert_int_equal(lost, i == 0 ? 5 : 0); // told once
            assert_int_equal(span.bytes[0], i);
        }
        assert_false(tunnel_spans_take(&spans, &span, &lost));
    }
}

static void chooses_as_many_as_it_is_told(void **state)
{
    uint32_t count = 0;

    (void)state;
    tunnel_spans_init(&spans, 0, 1);
    put(1);
    assert_false(tunnel_spans_take(&spans, &span, &lost));
    tunnel_spans_init(&spans, ALL / 100, 4711);
    for (int i = 0; i < 100000; i++) {
        put(1);
        count += tunnel_spans_take(&spans, &span, &lost);
    }
    assert_in_range(count, 800, 1200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(begins_when_the_client_comes),
        cmocka_unit_test(takes_the_oldest_first_and_counts_what_it_had_no_room_for),
        cmocka_unit_test(chooses_as_many_as_it_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
