// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "support/dies.h"

static struct bytes text(const char *string)
{
    return bytes_of_text(string);
}

static void assert_text(struct bytes span, const char *expected)
{
    assert_int_equal(span.len, strlen(expected));
    if (span.len > 0) {
        assert_memory_equal(span.ptr, expected, span.len);
    }
}

static void compares_length_and_content(void **state)
{
    static const struct bytes literal = BYTES_LITERAL("abc");

    (void)state;
    assert_true(bytes_equal(literal, text("abc")));
    assert_true(bytes_equal_text(literal, "abc"));
    assert_false(bytes_equal_text(literal, "abd"));
    assert_false(bytes_equal_text(literal, "ab"));
    assert_false(bytes_equal_text(literal, "abcd"));
    assert_false(bytes_equal_text(literal, NULL));
    assert_true(bytes_equal((struct bytes){0}, text("")));
    assert_true(bytes_equal_text((struct bytes){0}, NULL));
}

static void finds_the_first_of_a_byte(void **state)
{
    static const struct {
        const char *text;
        char byte;
        size_t index;
    } table[] = {{"a:b:c", ':', 1}, {":", ':', 0}, {"abc", ':', 3}, {"", ':', 0}, {NULL, ':', 0}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_int_equal(bytes_index(text(table[i].text), (uint8_t)table[i].byte), table[i].index);
    }
}

static void cuts_within_its_bounds(void **state)
{
    (void)state;
    assert_text(bytes_from(text("abc"), 0), "abc");
    assert_text(bytes_from(text("abc"), 2), "c");
    assert_text(bytes_from(text("abc"), 3), "");
    assert_text(bytes_from(text("abc"), SIZE_MAX), "");
    assert_text(bytes_from((struct bytes){0}, 1), "");
    assert_text(bytes_first(text("abc"), 0), "");
    assert_text(bytes_first(text("abc"), 2), "ab");
    assert_text(bytes_first(text("abc"), SIZE_MAX), "abc");
    assert_text(bytes_first((struct bytes){0}, 1), "");
}

static void trims_blanks_at_both_ends_only(void **state)
{
    (void)state;
    assert_text(bytes_trim(text(" \t a b \r")), "a b");
    assert_text(bytes_trim(text("ab")), "ab");
    assert_text(bytes_trim(text(" \t\r ")), "");
    assert_text(bytes_trim(text("")), "");
    assert_text(bytes_trim((struct bytes){0}), "");
    assert_text(bytes_trim(text("a\n")), "a\n");
}

static void reads_numbers_up_to_the_limit_only(void **state)
{
    static const struct {
        const char *text;
        uint64_t max;
        bool is_read;
        uint64_t value;
    } table[] = {
        {"0", 0, true, 0},
        {"1", 0, false, 0},
        {"65535", UINT16_MAX, true, 65535},
        {"65536", UINT16_MAX, false, 0},
        {"00000000000000000000000000042", 42, true, 42},
        {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, false, 0},
        {"18446744073709551620", UINT64_MAX, false, 0},
        {"99999999999999999999", UINT64_MAX, false, 0},
        {"184467440737095516150", UINT64_MAX, false, 0},
        {"", UINT64_MAX, false, 0},
        {"-1", UINT64_MAX, false, 0},
        {"+1", UINT64_MAX, false, 0},
        {" 1", UINT64_MAX, false, 0},
        {"1 ", UINT64_MAX, false, 0},
        {"1x", UINT64_MAX, false, 0},
        {"0x1", UINT64_MAX, false, 0},
        {"1/", UINT64_MAX, false, 0}, // the neighbours of the digits
        {"1:", UINT64_MAX, false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        uint64_t value = 77;
        assert_int_equal(bytes_to_number(text(table[i].text), table[i].max, &value),
                         table[i].is_read);
        assert_true(value == (table[i].is_read ? table[i].value : 77));
    }
}

static const uint8_t wire[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18};

static void reads_big_endian(void **state)
{
    struct rd rd = rd_init((struct bytes){wire, sizeof wire});
    uint8_t copy[2] = {0};

    (void)state;
    assert_int_equal(rd_u8(&rd), 1);
    assert_int_equal(rd_u16(&rd), 0x0203);
    assert_true(rd_u32(&rd) == 0x04050607);
    assert_true(rd_u64(&rd) == UINT64_C(0x08090a0b0c0d0e0f));
    rd_copy(&rd, copy, 1);
    assert_int_equal(copy[0], 16);
    assert_false(rd_is_done(&rd));
    rd_skip(&rd, 1);
    struct bytes last = rd_bytes(&rd, 1);
    assert_ptr_equal(last.ptr, wire + 17);
    assert_int_equal(last.len, 1);
    assert_true(rd_ok(&rd));
    assert_true(rd_is_done(&rd));
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof wire; len++) {
        struct rd rd = rd_init((struct bytes){wire, len});
        uint8_t copy[2] = {0xee, 0xee};

        assert_int_equal(rd_u8(&rd), len >= 1 ? 1 : 0);
        assert_int_equal(rd_u16(&rd), len >= 3 ? 0x0203 : 0);
        assert_true(rd_u32(&rd) == (len >= 7 ? 0x04050607 : 0));
        assert_true(rd_u64(&rd) == (len >= 15 ? UINT64_C(0x08090a0b0c0d0e0f) : 0));
        rd_copy(&rd, copy, 1);
        assert_int_equal(copy[0], len >= 16 ? 16 : 0xee);
        rd_skip(&rd, 1);
        struct bytes last = rd_bytes(&rd, 1);
        assert_int_equal(last.len, 0);
        assert_null(last.ptr);
        assert_false(rd_ok(&rd));
        assert_false(rd_is_done(&rd));
    }
}

static void keeps_its_place_when_a_read_fails(void **state)
{
    static const size_t sizes[] = {1, 2, 4, 8};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        struct rd rd = rd_init((struct bytes){wire, sizes[i] - 1});

        switch (sizes[i]) {
        case 1:
            assert_int_equal(rd_u8(&rd), 0);
            break;
        case 2:
            assert_int_equal(rd_u16(&rd), 0);
            break;
        case 4:
            assert_int_equal(rd_u32(&rd), 0);
            break;
        default:
            assert_true(rd_u64(&rd) == 0);
            break;
        }
        assert_int_equal(rd.left, sizes[i] - 1);
        assert_ptr_equal(rd.ptr, wire);
        // What would fit by itself fails as well now.
        assert_int_equal(rd_u8(&rd), 0);
        rd_skip(&rd, 0);
        assert_false(rd_ok(&rd));
    }
}

static void reads_nothing_from_nothing(void **state)
{
    struct rd rd = rd_init((struct bytes){0});

    (void)state;
    rd_skip(&rd, 0);
    rd_copy(&rd, NULL, 0);
    assert_int_equal(rd_bytes(&rd, 0).len, 0);
    assert_true(rd_is_done(&rd));
    rd_skip(&rd, SIZE_MAX);
    assert_false(rd_ok(&rd));
}

static void write_all(struct wr *wr)
{
    wr_u8(wr, 1);
    wr_u16(wr, 0x0203);
    wr_u32(wr, 0x04050607);
    wr_u64(wr, UINT64_C(0x08090a0b0c0d0e0f));
    wr_bytes(wr, (struct bytes){wire + 15, 2});
    wr_zero(wr, 1);
}

static void writes_big_endian(void **state)
{
    uint8_t to[sizeof wire];
    struct wr wr = wr_init(to, sizeof to);

    (void)state;
    memset(to, 0xee, sizeof to);
    write_all(&wr);
    assert_true(wr_ok(&wr));
    assert_int_equal(wr.room, 0);
    assert_int_equal(wr_done(&wr).len, sizeof to);
    assert_memory_equal(to, wire, sizeof to - 1);
    assert_int_equal(to[17], 0);
}

static void writes_nothing_of_what_does_not_fit(void **state)
{
    static const size_t ends[] = {0, 1, 3, 7, 15, 17, 18}; // of the fields that write_all writes

    (void)state;
    for (size_t room = 0; room < sizeof wire; room++) {
        uint8_t to[sizeof wire + 8];
        struct wr wr = wr_init(to, room);
        size_t fits = 0;

        memset(to, 0xee, sizeof to);
        for (size_t i = 0; i < COUNT_OF(ends); i++) {
            fits = ends[i] <= room ? ends[i] : fits;
        }
        write_all(&wr);
        assert_false(wr_ok(&wr));
        assert_int_equal(wr_done(&wr).len, fits);
        assert_memory_equal(to, wire, fits);
        for (size_t i = fits; i < sizeof to; i++) {
            assert_int_equal(to[i], 0xee);
        }
    }
}

static void writes_nothing_into_nothing(void **state)
{
    struct wr wr = wr_init(NULL, 0);

    (void)state;
    wr_bytes(&wr, (struct bytes){0});
    wr_zero(&wr, 0);
    wr_text(&wr, NULL);
    wr_hex(&wr, (struct bytes){0});
    assert_true(wr_ok(&wr));
    assert_int_equal(wr_done(&wr).len, 0);
    wr_u8(&wr, 1);
    assert_false(wr_ok(&wr));
}

static void overwrites_only_what_was_written(void **state)
{
    static const struct {
        size_t written;
        size_t offset;
        bool is_ok;
    } table[] = {{0, 0, false}, {1, 0, false}, {2, 0, true},        {2, 1, false},
                 {4, 2, true},  {4, 3, false}, {4, SIZE_MAX, false}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        uint8_t to[8];
        struct wr wr = wr_init(to, sizeof to);

        memset(to, 0xee, sizeof to);
        wr_zero(&wr, table[i].written);
        wr_u16_at(&wr, table[i].offset, 0x1234);
        assert_int_equal(wr_ok(&wr), table[i].is_ok);
        assert_int_equal(wr.len, table[i].written);
        if (table[i].is_ok) {
            assert_int_equal(to[table[i].offset], 0x12);
            assert_int_equal(to[table[i].offset + 1], 0x34);
        }
        for (size_t k = table[i].written; k < sizeof to; k++) {
            assert_int_equal(to[k], 0xee);
        }
    }
}

static void writes_text(void **state)
{
    uint8_t to[64];
    struct wr wr = wr_init(to, sizeof to);

    (void)state;
    wr_text(&wr, "n=");
    wr_decimal(&wr, 0);
    wr_text(&wr, ",");
    wr_decimal(&wr, 10);
    wr_text(&wr, ",");
    wr_decimal(&wr, UINT64_MAX);
    wr_text(&wr, " ");
    wr_hex(&wr, (struct bytes){(const uint8_t *)"\x00\x9a\xff", 3});
    assert_true(wr_ok(&wr));
    assert_text(wr_done(&wr), "n=0,10,18446744073709551615 009aff");
}

static void refuses_hex_whose_length_would_overflow(void **state)
{
    uint8_t to[2];
    struct wr wr = wr_init(to, sizeof to);

    (void)state;
    wr_hex(&wr, (struct bytes){wire, SIZE_MAX / 2 + 1}); // never read: it cannot fit
    assert_false(wr_ok(&wr));
    assert_int_equal(wr.len, 0);
}

static void read_null(void *context)
{
    (void)context;
    (void)rd_init((struct bytes){NULL, 1});
}

static void write_null(void *context)
{
    (void)context;
    (void)wr_init(NULL, 1);
}

static void dies_of_a_missing_span(void **state)
{
    (void)state;
    assert_true(dies(read_null, NULL));
    assert_true(dies(write_null, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compares_length_and_content),
        cmocka_unit_test(finds_the_first_of_a_byte),
        cmocka_unit_test(cuts_within_its_bounds),
        cmocka_unit_test(trims_blanks_at_both_ends_only),
        cmocka_unit_test(reads_numbers_up_to_the_limit_only),
        cmocka_unit_test(reads_big_endian),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(keeps_its_place_when_a_read_fails),
        cmocka_unit_test(reads_nothing_from_nothing),
        cmocka_unit_test(writes_big_endian),
        cmocka_unit_test(writes_nothing_of_what_does_not_fit),
        cmocka_unit_test(writes_nothing_into_nothing),
        cmocka_unit_test(overwrites_only_what_was_written),
        cmocka_unit_test(writes_text),
        cmocka_unit_test(refuses_hex_whose_length_would_overflow),
        cmocka_unit_test(dies_of_a_missing_span),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
