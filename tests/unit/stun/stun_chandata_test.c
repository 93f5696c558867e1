// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_chandata.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "support/exact.h"

static const uint8_t hello[] = {0x40, 0x01, 0x00, 0x05, 'h', 'e', 'l', 'l', 'o'};

// Reads from an exact copy and, when that fails, asserts that the outputs are as they were.
static bool is_read(struct bytes datagram, uint16_t *number, size_t *len)
{
    struct bytes copy = exact_copy(datagram);
    uint16_t got_number = 0xabcd;
    struct bytes got = {hello, 1};
    bool is_ok = stun_chandata_read(copy, &got_number, &got);

    if (is_ok) {
        assert_ptr_equal(got.ptr, copy.ptr + STUN_CHANDATA_HEAD_LEN);
        *number = got_number;
        *len = got.len;
    } else {
        assert_int_equal(got_number, 0xabcd);
        assert_ptr_equal(got.ptr, hello);
        assert_int_equal(got.len, 1);
    }
    exact_free(copy);
    return is_ok;
}

static void knows_the_numbers_from_4000_to_7fff(void **state)
{
    (void)state;
    for (unsigned number = 0; number <= UINT16_MAX; number++) {
        const uint8_t raw[] = {(uint8_t)(number >> 8), (uint8_t)number, 0, 0};
        const bool is_number = number >= 0x4000 && number <= 0x7fff;
        uint16_t got = 0;
        size_t len = 99;

        assert_int_equal(stun_chandata_is_number((uint16_t)number), is_number);
        assert_int_equal(stun_chandata_is_likely((struct bytes){raw, sizeof raw}), is_number);
        assert_int_equal(is_read((struct bytes){raw, sizeof raw}, &got, &len), is_number);
        if (is_number) {
            assert_int_equal(got, number);
            assert_int_equal(len, 0);
        }
    }
}

static void is_likely_by_the_first_byte_alone(void **state)
{
    (void)state;
    assert_false(stun_chandata_is_likely((struct bytes){0}));
    for (unsigned first = 0; first < 256; first++) {
        struct bytes copy = exact_copy((struct bytes){(const uint8_t[]){(uint8_t)first}, 1});
        assert_int_equal(stun_chandata_is_likely(copy), first >= 64 && first <= 127);
        exact_free(copy);
    }
}

static void reads_the_data(void **state)
{
    uint16_t number = 0;
    struct bytes data = {0};

    (void)state;
    assert_true(stun_chandata_read((struct bytes){hello, sizeof hello}, &number, &data));
    assert_int_equal(number, 0x4001);
    assert_true(bytes_equal_text(data, "hello"));
}

static void refuses_every_truncation(void **state)
{
    uint16_t number = 0;
    size_t len = 0;

    (void)state;
    for (size_t cut = 0; cut < sizeof hello; cut++) {
        assert_false(is_read((struct bytes){hello, cut}, &number, &len));
    }
}

static void leaves_padding_out(void **state)
{
    uint8_t padded[sizeof hello + 7];
    uint16_t number = 0;
    size_t len = 0;

    (void)state;
    memset(padded, 0xff, sizeof padded);
    memcpy(padded, hello, sizeof hello);
    for (size_t whole = sizeof hello; whole <= sizeof padded; whole++) {
        assert_true(is_read((struct bytes){padded, whole}, &number, &len));
        assert_int_equal(len, 5);
    }
}

static void refuses_a_length_that_lies(void **state)
{
    uint8_t raw[sizeof hello];
    uint16_t number = 0;
    size_t len = 0;

    (void)state;
    memcpy(raw, hello, sizeof raw);
    for (unsigned claimed = 0; claimed <= UINT16_MAX; claimed++) {
        raw[2] = (uint8_t)(claimed >> 8);
        raw[3] = (uint8_t)claimed;
        assert_int_equal(is_read((struct bytes){raw, sizeof raw}, &number, &len), claimed <= 5);
        if (claimed <= 5) {
            assert_int_equal(len, claimed);
        }
    }
}

static void reads_the_longest_data(void **state)
{
    static uint8_t raw[STUN_CHANDATA_HEAD_LEN + UINT16_MAX] = {0x4f, 0xff, 0xff, 0xff};
    uint16_t number = 0;
    size_t len = 0;

    (void)state;
    assert_true(is_read((struct bytes){raw, sizeof raw}, &number, &len));
    assert_int_equal(number, 0x4fff);
    assert_int_equal(len, UINT16_MAX);
    assert_false(is_read((struct bytes){raw, sizeof raw - 1}, &number, &len));
}

static void writes_what_it_reads(void **state)
{
    static const uint16_t numbers[] = {0x4000, 0x4001, 0x4fff, 0x5000, 0x7fff};
    static const uint16_t lens[] = {0, 1, 255, 256, 1500};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        for (size_t j = 0; j < COUNT_OF(lens); j++) {
            uint8_t raw[STUN_CHANDATA_HEAD_LEN + 1500] = {0};
            struct wr wr = wr_init(raw, STUN_CHANDATA_HEAD_LEN);
            uint16_t number = 0;
            size_t len = 0;

            stun_chandata_head_write(&wr, numbers[i], lens[j]);
            assert_true(wr_ok(&wr));
            assert_int_equal(wr.room, 0);
            assert_true(is_read((struct bytes){raw, STUN_CHANDATA_HEAD_LEN + (size_t)lens[j]},
                                &number, &len));
            assert_int_equal(number, numbers[i]);
            assert_int_equal(len, lens[j]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_the_numbers_from_4000_to_7fff),
        cmocka_unit_test(is_likely_by_the_first_byte_alone),
        cmocka_unit_test(reads_the_data),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(leaves_padding_out),
        cmocka_unit_test(refuses_a_length_that_lies),
        cmocka_unit_test(reads_the_longest_data),
        cmocka_unit_test(writes_what_it_reads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
