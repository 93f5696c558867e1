// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/exact.h"
#include "stun/stun_attr.h"

enum {
    REASON_MAX = 127,    // characters, RFC 8489 section 14.8: fewer than 128
    ATTRIBUTE_MAX = 200, // bytes, more than any attribute here
};

static const enum stun_error_code codes[] = {
    STUN_ERROR_BAD_REQUEST,
    STUN_ERROR_UNAUTHENTICATED,
    STUN_ERROR_FORBIDDEN,
    STUN_ERROR_UNKNOWN_ATTRIBUTE,
    STUN_ERROR_ALLOCATION_MISMATCH,
    STUN_ERROR_STALE_NONCE,
    STUN_ERROR_FAMILY_NOT_SUPPORTED,
    STUN_ERROR_WRONG_CREDENTIALS,
    STUN_ERROR_UNSUPPORTED_TRANSPORT,
    STUN_ERROR_PEER_FAMILY_MISMATCH,
    STUN_ERROR_QUOTA_REACHED,
    STUN_ERROR_INSUFFICIENT_CAPACITY,
};

static void has_a_reason_of_printable_ascii_for_every_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        struct bytes reason = bytes_of_text(stun_error_reason(codes[i]));
        assert_in_range(reason.len, 1, REASON_MAX);
        for (size_t at = 0; at < reason.len; at++) {
            assert_in_range(reason.ptr[at], ' ', '~');
        }
    }
}

static void reads_what_it_writes(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        uint8_t raw[ATTRIBUTE_MAX];
        struct wr wr = wr_init(raw, sizeof raw);

        stun_error_write(&wr, codes[i]);
        assert_true(wr_ok(&wr));
        assert_int_equal(wr.len % 4, 0);

        struct rd rd = rd_init(wr_done(&wr));
        struct stun_attr attr;
        uint16_t code = 0;
        struct bytes reason = {0};
        assert_true(stun_attr_read(&rd, &attr));
        assert_true(rd_is_done(&rd));
        assert_int_equal(attr.type, STUN_ATTR_ERROR_CODE);
        assert_true(stun_error_read(attr.value, &code, &reason));
        assert_int_equal(code, codes[i]);
        assert_true(bytes_equal_text(reason, stun_error_reason(codes[i])));
    }
}

static void writes_stale_nonce_as_the_rfc_draws_it(void **state)
{
    static const uint8_t expected[] = {
        0x00, 0x09, 0x00, 0x0f, 0x00, 0x00, 0x04, 0x26, 'S', 't',
        'a',  'l',  'e',  ' ',  'N',  'o',  'n',  'c',  'e', 0x00,
    };
    uint8_t raw[ATTRIBUTE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    stun_error_write(&wr, STUN_ERROR_STALE_NONCE);
    assert_int_equal(wr.len, sizeof expected);
    assert_memory_equal(raw, expected, sizeof expected);
}

// Reads a value from an exact copy and asserts that a refusal leaves the outputs alone.
static bool is_read(struct bytes value, uint16_t *code, size_t *reason_len)
{
    struct bytes copy = exact_copy(value);
    uint16_t got = 7;
    struct bytes reason = {value.ptr, 12345};
    bool is_ok = stun_error_read(copy, &got, &reason);

    if (is_ok) {
        *code = got;
        *reason_len = reason.len;
    } else {
        assert_int_equal(got, 7);
        assert_int_equal(reason.len, 12345);
    }
    exact_free(copy);
    return is_ok;
}

static void refuses_classes_and_numbers_out_of_range(void **state)
{
    (void)state;
    for (unsigned class = 0; class < 256; class ++) {
        for (unsigned number = 0; number < 256; number++) {
            const uint8_t value[] = {0xff, 0xff, (uint8_t) class, (uint8_t)number};
            const unsigned low = class % 8; // the five bits above it are reserved
            const bool is_code = low >= 3 && low <= 6 && number <= 99;
            uint16_t code = 0;
            size_t reason_len = 99;

            assert_int_equal(is_read((struct bytes){value, sizeof value}, &code, &reason_len),
                             is_code);
            if (is_code) {
                assert_int_equal(code, low * 100 + number);
                assert_int_equal(reason_len, 0);
            }
        }
    }
}

static void refuses_every_truncation_of_its_numbers(void **state)
{
    static const uint8_t value[] = {0, 0, 4, 0, 'n', 'o'};
    uint16_t code = 0;
    size_t reason_len = 0;

    (void)state;
    for (size_t len = 0; len <= sizeof value; len++) {
        assert_int_equal(is_read((struct bytes){value, len}, &code, &reason_len), len >= 4);
    }
    assert_int_equal(code, 400);
    assert_int_equal(reason_len, 2);
}

static void lists_unknown_types(void **state)
{
    static const uint16_t types[] = {0x0024, 0x7fff, 0x0003};
    static const uint8_t expected[] = {
        0x00, 0x0a, 0x00, 0x06, 0x00, 0x24, 0x7f, 0xff, 0x00, 0x03, 0x00, 0x00,
    };
    uint8_t raw[ATTRIBUTE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    stun_error_unknown_write(&wr, types, COUNT_OF(types));
    assert_int_equal(wr.len, sizeof expected);
    assert_memory_equal(raw, expected, sizeof expected);

    wr = wr_init(raw, sizeof raw);
    stun_error_unknown_write(&wr, types, 2);
    assert_int_equal(wr.len, 8);
    assert_int_equal(raw[3], 4);

    wr = wr_init(raw, sizeof raw);
    stun_error_unknown_write(&wr, NULL, 0);
    assert_int_equal(wr.len, 4);
    assert_int_equal(raw[3], 0);
}

static void fails_cleanly_in_every_room_that_is_too_small(void **state)
{
    static const uint16_t types[] = {1, 2, 3};

    (void)state;
    for (size_t room = 0; room <= 20; room++) {
        uint8_t *exact = exact_room(room);
        struct wr wr = wr_init(exact, room);
        stun_error_write(&wr, STUN_ERROR_STALE_NONCE); // 20 bytes
        assert_int_equal(wr_ok(&wr), room >= 20);

        wr = wr_init(exact, room);
        stun_error_unknown_write(&wr, types, COUNT_OF(types)); // 12 bytes
        assert_int_equal(wr_ok(&wr), room >= 12);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_reason_of_printable_ascii_for_every_code),
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(writes_stale_nonce_as_the_rfc_draws_it),
        cmocka_unit_test(refuses_classes_and_numbers_out_of_range),
        cmocka_unit_test(refuses_every_truncation_of_its_numbers),
        cmocka_unit_test(lists_unknown_types),
        cmocka_unit_test(fails_cleanly_in_every_room_that_is_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
