// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_spans.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "stun/stun_attr.h"
#include "stun/stun_error.h"
#include "stun/stun_header.h"
#include "stun/stun_writer.h"

#define ALL (UINT64_C(1) << 32)

static struct relay_spans spans;
static uint8_t text[256];

static struct bytes message(uint16_t method, enum stun_class class, enum stun_error_code code)
{
    const struct stun_header header = {.method = method, .class = (uint8_t) class};
    struct wr wr = wr_init(text, sizeof text);

    stun_header_write(&wr, &header);
    wr_u16(&wr, STUN_ATTR_SOFTWARE); // of a length that is padded
    wr_u16(&wr, 5);
    wr_text(&wr, "relay");
    wr_zero(&wr, 3);
    if (code != STUN_ERROR_NONE) {
        stun_error_write(&wr, code);
    }
    wr_u16_at(&wr, 2, (uint16_t)(wr.len - STUN_HEADER_LEN));
    assert_true(wr_ok(&wr));
    return wr_done(&wr);
}

static void put(uint16_t method, enum stun_class class, enum stun_error_code code)
{
    relay_spans_put(&spans, message(method, class, code), true, 5, 9);
}

static void tells_method_and_outcome(void **state)
{
    struct relay_span span;

    (void)state;
    relay_spans_init(&spans, ALL, 7);
    put(STUN_ALLOCATE, STUN_SUCCESS, STUN_ERROR_NONE);
    put(STUN_REFRESH, STUN_ERROR, STUN_ERROR_ALLOCATION_MISMATCH);
    assert_true(relay_spans_take(&spans, &span));
    assert_int_equal(span.method, STUN_ALLOCATE);
    assert_int_equal(span.code, 0);
    assert_int_equal(span.start_ns, 5);
    assert_int_equal(span.end_ns, 9);
    assert_true(span.is_ip6);
    assert_true(relay_spans_take(&spans, &span));
    assert_int_equal(span.method, STUN_REFRESH);
    assert_int_equal(span.code, 437);
    assert_false(relay_spans_take(&spans, &span));
}

static void takes_nothing_else(void **state)
{
    struct relay_span span;

    (void)state;
    relay_spans_init(&spans, ALL, 7);
    put(STUN_BINDING, STUN_SUCCESS, STUN_ERROR_NONE);
    put(STUN_DATA, STUN_INDICATION, STUN_ERROR_NONE);
    put(STUN_ALLOCATE, STUN_REQUEST, STUN_ERROR_NONE);
    relay_spans_put(&spans, (struct bytes){text, 19}, false, 1, 2);
    relay_spans_put(&spans, (struct bytes){0}, false, 1, 2);
    assert_false(relay_spans_take(&spans, &span));
}

static void no_span_ends_before_it_begins(void **state)
{
    struct relay_span span;

    (void)state;
    relay_spans_init(&spans, ALL, 7);
    relay_spans_put(&spans, message(STUN_REFRESH, STUN_SUCCESS, STUN_ERROR_NONE), false, 9, 5);
    assert_true(relay_spans_take(&spans, &span));
    assert_int_equal(span.end_ns, 9);
}

static uint32_t chosen(uint64_t sampled, uint64_t seed)
{
    uint32_t count = 0;

    relay_spans_init(&spans, sampled, seed);
    for (uint32_t i = 0; i < 100000; i++) {
        count += relay_spans_chooses(&spans);
    }
    return count;
}

static void chooses_as_many_as_it_is_to(void **state)
{
    (void)state;
    assert_int_equal(chosen(0, 3), 0);
    assert_int_equal(chosen(ALL, 3), 100000);
    for (uint64_t seed = 0; seed < 8; seed++) {
        assert_in_range(chosen(ALL / 100, seed * UINT64_C(0x9e3779b97f4a7c15)), 850, 1150);
        assert_in_range(chosen(ALL / 2, seed * UINT64_C(0x9e3779b97f4a7c15)), 49000, 51000);
    }
}

static void loses_the_newest_when_nobody_takes_them(void **state)
{
    struct relay_span span;

    (void)state;
    relay_spans_init(&spans, ALL, 7);
    spans.written_count = spans.read_count = UINT32_MAX - 5; // where they wrap
    for (uint64_t i = 0; i < RELAY_SPANS_MAX + 3; i++) {
        relay_spans_put(&spans, message(STUN_REFRESH, STUN_SUCCESS, STUN_ERROR_NONE), false, i, i);
    }
    assert_int_equal(spans.lost_count, 3);
    for (uint64_t i = 0; i < RELAY_SPANS_MAX; i++) {
        assert_true(relay_spans_take(&spans, &span));
        assert_int_equal(span.start_ns, i);
    }
    assert_false(relay_spans_take(&spans, &span));
    put(STUN_REFRESH, STUN_SUCCESS, STUN_ERROR_NONE);
    assert_true(relay_spans_take(&spans, &span));
}

enum { MANY = 50000 };

static void *write_many(void *context)
{
    const struct bytes *response = context;

    for (uint64_t i = 1; i <= MANY; i++) {
        relay_spans_put(&spans, *response, false, i, i + 1);
    }
    return NULL;
}

static void a_writer_and_a_reader_need_no_lock(void **state)
{
    struct bytes response = message(STUN_CHANNEL_BIND, STUN_SUCCESS, STUN_ERROR_NONE);
    struct relay_span span;
    pthread_t thread;
    uint64_t taken_count = 0;
    uint64_t last = 0;

    (void)state;
    relay_spans_init(&spans, ALL, 7);
    assert_int_equal(pthread_create(&thread, NULL, write_many, &response), 0);
    while (last < MANY && taken_count + atomic_load(&spans.lost_count) < MANY) {
        if (relay_spans_take(&spans, &span)) {
            assert_true(span.start_ns > last);
            assert_int_equal(span.end_ns, span.start_ns + 1);
            last = span.start_ns;
            taken_count++;
        }
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    while (relay_spans_take(&spans, &span)) {
        taken_count++;
    }
    assert_int_equal(taken_count + spans.lost_count, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_method_and_outcome),
        cmocka_unit_test(takes_nothing_else),
        cmocka_unit_test(no_span_ends_before_it_begins),
        cmocka_unit_test(chooses_as_many_as_it_is_to),
        cmocka_unit_test(loses_the_newest_when_nobody_takes_them),
        cmocka_unit_test(a_writer_and_a_reader_need_no_lock),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
