// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_attr.h"
#include "support/dies.h"
#include "support/exact.h"

enum {
    REASON_MAX = 127,    // characters, RFC 8489 section 14.8: fewer than 128
    ATTRIBUTE_MAX = 200, // bytes, more than any attribute here
};

static const enum stun_error_code codes[] = {
    STUN_ERROR_TRY_ALTERNATE,         STUN_ERROR_BAD_REQUEST,
    STUN_ERROR_UNAUTHENTICATED,       STUN_ERROR_FORBIDDEN,
    STUN_ERROR_UNKNOWN_ATTRIBUTE,     STUN_ERROR_ALLOCATION_MISMATCH,
    STUN_ERROR_STALE_NONCE,           STUN_ERROR_FAMILY_NOT_SUPPORTED,
    STUN_ERROR_WRONG_CREDENTIALS,     STUN_ERROR_UNSUPPORTED_TRANSPORT,
    STUN_ERROR_PEER_FAMILY_MISMATCH,  STUN_ERROR_QUOTA_REACHED,
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

// --- ADDRESS-ERROR-CODE -------------------------------------------------------------------------

// Figure 10 of RFC 8656: 8 bits of family, 13 reserved, 3 of class, 8 of number, and the reason.
static void writes_why_a_family_is_missing_as_the_rfc_draws_it(void **state)
{
    static const uint8_t expected[] = {
        0x80, 0x01, 0x00, 0x20, 0x02, 0x00, 0x04, 0x28, 'A', 'd', 'd', 'r',
        'e',  's',  's',  ' ',  'F',  'a',  'm',  'i',  'l', 'y', ' ', 'n',
        'o',  't',  ' ',  'S',  'u',  'p',  'p',  'o',  'r', 't', 'e', 'd',
    };
    uint8_t raw[ATTRIBUTE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    stun_error_address_write(&wr, STUN_ATTR_FAMILY_IP6, STUN_ERROR_FAMILY_NOT_SUPPORTED);
    assert_int_equal(wr.len, sizeof expected);
    assert_memory_equal(raw, expected, sizeof expected);
}

// Reads a value from an exact copy and asserts that a refusal leaves the outputs alone.
static bool is_address_read(struct bytes value, uint8_t *family, uint16_t *code)
{
    struct bytes copy = exact_copy(value);
    uint8_t got_family = 7;
    uint16_t got_code = 7;
    bool is_ok = stun_error_address_read(copy, &got_family, &got_code);

    if (is_ok) {
        *family = got_family;
        *code = got_code;
    } else {
        assert_int_equal(got_family, 7);
        assert_int_equal(got_code, 7);
    }
    exact_free(copy);
    return is_ok;
}

static void reads_for_which_family_it_writes(void **state)
{
    (void)state;
    for (uint8_t family = STUN_ATTR_FAMILY_IP4; family <= STUN_ATTR_FAMILY_IP6; family++) {
        for (size_t i = 0; i < COUNT_OF(codes); i++) {
            uint8_t raw[ATTRIBUTE_MAX];
            struct wr wr = wr_init(raw, sizeof raw);
            struct rd rd;
            struct stun_attr attr = {0};
            uint8_t got_family = 0;
            uint16_t got_code = 0;

            stun_error_address_write(&wr, family, codes[i]);
            assert_int_equal(wr.len % 4, 0);
            rd = rd_init(wr_done(&wr));
            assert_true(stun_attr_read(&rd, &attr));
            assert_true(rd_is_done(&rd));
            assert_int_equal(attr.type, STUN_ATTR_ADDRESS_ERROR_CODE);
            assert_true(is_address_read(attr.value, &got_family, &got_code));
            assert_int_equal(got_family, family);
            assert_int_equal(got_code, codes[i]);
        }
    }
}

static void refuses_a_third_family_and_codes_out_of_range(void **state)
{
    (void)state;
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned class = 0; class < 256; class ++) {
            const uint8_t value[] = {(uint8_t)first, 0xff, (uint8_t) class, 40};
            const uint8_t no_number[] = {(uint8_t)first, 0, (uint8_t) class, 100};
            const bool is_right = (first == 1 || first == 2) && class % 8 >= 3 && class % 8 <= 6;
            uint8_t family = 0;
            uint16_t code = 0;

            assert_int_equal(is_address_read((struct bytes){value, sizeof value}, &family, &code),
                             is_right);
            assert_int_equal(family, is_right ? first : 0);
            assert_int_equal(code, is_right ? class % 8 * 100 + 40 : 0);
            assert_false(is_address_read((struct bytes){no_number, sizeof no_number}, &family, //
                                         &code));
        }
    }
}

static void refuses_every_truncation_of_its_family_and_code(void **state)
{
    static const uint8_t value[] = {1, 0, 5, 8, 'n', 'o'};
    uint8_t family = 0;
    uint16_t code = 0;

    (void)state;
    for (size_t len = 0; len <= sizeof value; len++) {
        assert_int_equal(is_address_read((struct bytes){value, len}, &family, &code), len >= 4);
    }
    assert_int_equal(family, STUN_ATTR_FAMILY_IP4);
    assert_int_equal(code, STUN_ERROR_INSUFFICIENT_CAPACITY);
}

static void write_no_family(void *context)
{
    uint8_t raw[ATTRIBUTE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    stun_error_address_write(&wr, *(uint8_t *)context, STUN_ERROR_INSUFFICIENT_CAPACITY);
}

static void asserts_that_a_family_is_one(void **state)
{
    (void)state;
    for (uint8_t family = 0; family < 4; family++) {
        assert_int_equal(dies(write_no_family, &family), family == 0 || family == 3);
    }
}

// --- Room ---------------------------------------------------------------------------------------

static void fails_cleanly_in_every_room_that_is_too_small(void **state)
{
    static const uint16_t types[] = {1, 2, 3};

    (void)state;
    for (size_t room = 0; room <= 32; room++) {
        uint8_t *exact = exact_room(room);
        struct wr wr = wr_init(exact, room);
        stun_error_write(&wr, STUN_ERROR_STALE_NONCE); // 20 bytes
        assert_int_equal(wr_ok(&wr), room >= 20);

        wr = wr_init(exact, room);
        stun_error_unknown_write(&wr, types, COUNT_OF(types)); // 12 bytes
        assert_int_equal(wr_ok(&wr), room >= 12);

        wr = wr_init(exact, room);
        stun_error_address_write(&wr, STUN_ATTR_FAMILY_IP6, STUN_ERROR_INSUFFICIENT_CAPACITY);
        assert_int_equal(wr_ok(&wr), room >= 32); // 4 + 4 + 21 + 3
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
        cmocka_unit_test(writes_why_a_family_is_missing_as_the_rfc_draws_it),
        cmocka_unit_test(reads_for_which_family_it_writes),
        cmocka_unit_test(refuses_a_third_family_and_codes_out_of_range),
        cmocka_unit_test(refuses_every_truncation_of_its_family_and_code),
        cmocka_unit_test(asserts_that_a_family_is_one),
        cmocka_unit_test(fails_cleanly_in_every_room_that_is_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
