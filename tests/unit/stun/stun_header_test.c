// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_header.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/exact.h"

static const uint8_t sample[STUN_HEADER_LEN] = {
    0x00, 0x01, 0x00, 0x08, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
};

// Reads from an exact copy and asserts that a refusal leaves *out alone.
static bool is_read(const uint8_t *raw, size_t len, struct stun_header *out)
{
    struct bytes copy = exact_copy((struct bytes){raw, len});
    struct rd rd = rd_init(copy);
    struct stun_header before;
    memcpy(&before, out, sizeof before); // its padding too
    bool is_ok = stun_header_read(&rd, out);

    if (is_ok) {
        assert_int_equal(rd.left, len - STUN_HEADER_LEN);
    } else {
        assert_memory_equal(out, &before, sizeof before);
    }
    exact_free(copy);
    return is_ok;
}

static uint16_t type_written(uint16_t method, uint8_t class)
{
    const struct stun_header header = {.method = method, .class = class};
    uint8_t raw[STUN_HEADER_LEN];
    struct wr wr = wr_init(raw, sizeof raw);

    stun_header_write(&wr, &header);
    assert_true(wr_ok(&wr));
    assert_int_equal(wr.len, STUN_HEADER_LEN);
    return (uint16_t)(raw[0] * 256 + raw[1]);
}

static void writes_the_types_that_the_rfcs_name(void **state)
{
    static const struct {
        uint16_t method;
        uint8_t class;
        uint16_t type;
    } rows[] = {
        {STUN_BINDING, STUN_REQUEST, 0x0001},
        {STUN_BINDING, STUN_INDICATION, 0x0011},
        {STUN_BINDING, STUN_SUCCESS, 0x0101},
        {STUN_BINDING, STUN_ERROR, 0x0111},
        {STUN_ALLOCATE, STUN_REQUEST, 0x0003},
        {STUN_ALLOCATE, STUN_SUCCESS, 0x0103},
        {STUN_ALLOCATE, STUN_ERROR, 0x0113},
        {STUN_REFRESH, STUN_REQUEST, 0x0004},
        {STUN_REFRESH, STUN_SUCCESS, 0x0104},
        {STUN_REFRESH, STUN_ERROR, 0x0114},
        {STUN_SEND, STUN_INDICATION, 0x0016},
        {STUN_DATA, STUN_INDICATION, 0x0017},
        {STUN_CREATE_PERMISSION, STUN_REQUEST, 0x0008},
        {STUN_CREATE_PERMISSION, STUN_SUCCESS, 0x0108},
        {STUN_CREATE_PERMISSION, STUN_ERROR, 0x0118},
        {STUN_CHANNEL_BIND, STUN_REQUEST, 0x0009},
        {STUN_CHANNEL_BIND, STUN_SUCCESS, 0x0109},
        {STUN_CHANNEL_BIND, STUN_ERROR, 0x0119},
        {0xfff, STUN_REQUEST, 0x3eef},
        {0x000, STUN_ERROR, 0x0110},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(type_written(rows[i].method, rows[i].class), rows[i].type);
    }
}

static void gives_every_method_and_class_a_type_of_its_own(void **state)
{
    static uint8_t seen[0x4000];

    (void)state;
    for (uint16_t method = 0; method <= 0xfff; method++) {
        for (uint8_t class = STUN_REQUEST; class <= STUN_ERROR; class ++) {
            uint16_t type = type_written(method, class);
            assert_in_range(type, 0, 0x3fff);
            assert_int_equal(seen[type]++, 0);

            uint8_t raw[STUN_HEADER_LEN];
            struct stun_header header = {0};
            memcpy(raw, sample, sizeof raw);
            raw[0] = (uint8_t)(type >> 8);
            raw[1] = (uint8_t)type;
            assert_true(is_read(raw, sizeof raw, &header));
            assert_int_equal(header.method, method);
            assert_int_equal(header.class, class);
        }
    }
}

static void reads_what_it_writes(void **state)
{
    struct stun_header header = {0};
    uint8_t again[STUN_HEADER_LEN];
    struct wr wr = wr_init(again, sizeof again);

    (void)state;
    assert_true(is_read(sample, sizeof sample, &header));
    assert_int_equal(header.method, STUN_BINDING);
    assert_int_equal(header.class, STUN_REQUEST);
    assert_int_equal(header.body_len, 8);
    assert_memory_equal(header.transaction.id, sample + 8, STUN_TRANSACTION_LEN);
    stun_header_write(&wr, &header);
    assert_memory_equal(again, sample, sizeof sample);
}

static void refuses_every_truncation(void **state)
{
    struct stun_header header = {.method = 0xabc};

    (void)state;
    for (size_t len = 0; len < STUN_HEADER_LEN; len++) {
        assert_false(is_read(sample, len, &header));
    }
}

static void refuses_types_with_a_top_bit(void **state)
{
    uint8_t raw[STUN_HEADER_LEN];
    struct stun_header header = {0};

    (void)state;
    memcpy(raw, sample, sizeof raw);
    for (unsigned first = 0; first < 256; first++) {
        raw[0] = (uint8_t)first;
        assert_int_equal(is_read(raw, sizeof raw, &header), first < 0x40);
        assert_int_equal(stun_header_is_likely((struct bytes){raw, 1}), first < 0x40);
    }
    assert_false(stun_header_is_likely((struct bytes){0}));
}

static void refuses_every_other_cookie(void **state)
{
    uint8_t raw[STUN_HEADER_LEN];
    struct stun_header header = {0};

    (void)state;
    for (size_t bit = 0; bit < 32; bit++) {
        memcpy(raw, sample, sizeof raw);
        raw[4 + bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(is_read(raw, sizeof raw, &header));
    }
}

static void refuses_a_length_that_is_no_multiple_of_four(void **state)
{
    uint8_t raw[STUN_HEADER_LEN];
    struct stun_header header = {0};

    (void)state;
    memcpy(raw, sample, sizeof raw);
    for (unsigned len = 0; len <= UINT16_MAX; len++) {
        raw[2] = (uint8_t)(len >> 8);
        raw[3] = (uint8_t)len;
        assert_int_equal(is_read(raw, sizeof raw, &header), len % 4 == 0);
        if (len % 4 == 0) {
            assert_int_equal(header.body_len, len);
        }
    }
}

static void fails_cleanly_in_every_room_that_is_too_small(void **state)
{
    const struct stun_header header = {.method = STUN_BINDING};

    (void)state;
    for (size_t room = 0; room <= STUN_HEADER_LEN; room++) {
        uint8_t *exact = exact_room(room);
        struct wr wr = wr_init(exact, room);
        stun_header_write(&wr, &header);
        assert_int_equal(wr_ok(&wr), room == STUN_HEADER_LEN);
        free(exact);
    }
}

static void names_the_methods_that_there_are(void **state)
{
    (void)state;
    assert_string_equal(stun_header_method_name(STUN_BINDING), "Binding");
    assert_string_equal(stun_header_method_name(STUN_CHANNEL_BIND), "ChannelBind");
    assert_null(stun_header_method_name(0));
    assert_null(stun_header_method_name(0x005));
    assert_null(stun_header_method_name(0xfff));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_the_types_that_the_rfcs_name),
        cmocka_unit_test(gives_every_method_and_class_a_type_of_its_own),
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(refuses_types_with_a_top_bit),
        cmocka_unit_test(refuses_every_other_cookie),
        cmocka_unit_test(refuses_a_length_that_is_no_multiple_of_four),
        cmocka_unit_test(fails_cleanly_in_every_room_that_is_too_small),
        cmocka_unit_test(names_the_methods_that_there_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
