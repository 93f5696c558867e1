// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void expect(enum stun_password_algorithm algorithm, const uint8_t *expected, size_t len)
{
    struct turn_key key = turn_key_make(algorithm, bytes_of_text("user"), bytes_of_text("realm"),
                                        bytes_of_text("pass"));
    assert_int_equal(turn_key_bytes(&key).len, len);
    assert_memory_equal(turn_key_bytes(&key).ptr, expected, len);
}

static void is_what_md5sum_makes(void **state)
{
    // printf user:realm:pass | md5sum (RFC 8489 section 9.2.2, RFC 5389's example)
    static const uint8_t expected[STUN_KEY_LEN] = {0x84, 0x93, 0xfb, 0xc5, 0x3b, 0xa5, 0x82, 0xfb,
                                                   0x4c, 0x04, 0x4c, 0x45, 0x6b, 0xdc, 0x40, 0xeb};

    (void)state;
    expect(STUN_PASSWORD_MD5, expected, sizeof expected);
}

static void is_what_sha256sum_makes(void **state)
{
    // printf user:realm:pass | sha256sum
    static const uint8_t expected[STUN_KEY_SHA256_LEN] = {
        0x07, 0xe9, 0x34, 0x11, 0x7a, 0xbd, 0x40, 0x83, 0x6e, 0x7c, 0x63,
        0x29, 0xb5, 0x47, 0x31, 0xb2, 0xb2, 0xd2, 0xa5, 0xf9, 0xa7, 0x1f,
        0x54, 0x49, 0x22, 0xd7, 0x5e, 0x07, 0x30, 0xd8, 0x25, 0x1b};

    (void)state;
    expect(STUN_PASSWORD_SHA256, expected, sizeof expected);
}

static void leaves_nothing_behind_its_length(void **state)
{
    static const uint8_t zeros[STUN_KEY_SHA256_LEN - STUN_KEY_LEN];
    struct turn_key key = turn_key_make(STUN_PASSWORD_MD5, bytes_of_text("user"),
                                        bytes_of_text("realm"), bytes_of_text("pass"));

    (void)state;
    assert_memory_equal(key.bytes + STUN_KEY_LEN, zeros, sizeof zeros);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_what_md5sum_makes),
        cmocka_unit_test(is_what_sha256sum_makes),
        cmocka_unit_test(leaves_nothing_behind_its_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
