// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_fingerprint.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "stun/rfc5769.h"
#include "support/exact.h"

enum { STUN_MASK = 0x5354554e }; // "STUN", which the value hides under

// The check value by which every catalogue names this CRC-32.
static void is_the_crc_of_itu_v42(void **state)
{
    (void)state;
    assert_int_equal(stun_fingerprint(bytes_of_text("123456789")) ^ STUN_MASK, 0xcbf43926);
    assert_int_equal(stun_fingerprint(bytes_of_text("a")) ^ STUN_MASK, 0xe8b7be43);
    assert_int_equal(stun_fingerprint((struct bytes){0}) ^ STUN_MASK, 0);
}

static void makes_the_values_of_rfc_5769(void **state)
{
    static const struct {
        enum rfc5769_sample sample;
        uint32_t value;
    } rows[] = {
        {RFC5769_REQUEST, 0xe57a3bcf},
        {RFC5769_IP4_RESPONSE, 0xc07d4c96},
        {RFC5769_IP6_RESPONSE, 0xc8fb0b4c},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct bytes whole = rfc5769_message(rows[i].sample);
        struct bytes head = exact_copy(bytes_first(whole, whole.len - 8));
        assert_int_equal(stun_fingerprint(head), rows[i].value);
        exact_free(head);
    }
}

// The textbook's way: one bit at a time under the reversed polynomial.
static void agrees_with_one_bit_at_a_time(void **state)
{
    uint8_t text[256];

    (void)state;
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (uint8_t)(255 - i);
    }
    uint32_t crc = UINT32_MAX;
    for (size_t len = 0; len < sizeof text; len++) {
        assert_int_equal(stun_fingerprint((struct bytes){text, len}), ~crc ^ STUN_MASK);
        crc ^= text[len];
        for (int bit = 0; bit < 8; bit++) {
            crc = crc >> 1 ^ (crc % 2 != 0 ? UINT32_C(0xedb88320) : 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_the_crc_of_itu_v42),
        cmocka_unit_test(makes_the_values_of_rfc_5769),
        cmocka_unit_test(agrees_with_one_bit_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
