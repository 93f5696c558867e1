// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_key.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "stun/rfc5769.h"
#include "stun/rfc8489.h"

static void assert_key(const char *username, const char *realm, const char *password,
                       struct bytes expected)
{
    uint8_t key[STUN_KEY_LEN];

    stun_key_long_term(bytes_of_text(username), bytes_of_text(realm), bytes_of_text(password), key);
    assert_int_equal(expected.len, sizeof key);
    assert_memory_equal(key, expected.ptr, sizeof key);
}

static void makes_the_key_of_rfc_5769_section_2_4(void **state)
{
    (void)state;
    assert_key("\xe3\x83\x9e\xe3\x83\x88\xe3\x83\xaa\xe3\x83\x83\xe3\x82\xaf\xe3\x82\xb9",
               "example.org", "TheMatrIX", rfc5769_key(RFC5769_LONG_TERM_REQUEST));
}

// A credential as Firezone's portal makes them: expiry, colon, salt.
static void keeps_the_colon_of_a_timed_username(void **state)
{
    static const uint8_t expected[STUN_KEY_LEN] = {
        0xa1, 0x62, 0x8e, 0xa7, 0x5a, 0x65, 0x27, 0x05,
        0x05, 0xa9, 0x09, 0x53, 0x53, 0x48, 0x85, 0xc2,
    };

    (void)state;
    assert_key("1685984278:uvdgKvS9GXYZ_vmv", "firezone",
               "6xUIoZ+QvxKhRasLifwfRkMXl+ETLJUsFkHlXjlHAkg",
               (struct bytes){expected, sizeof expected});
}

// RFC 8489 section 9.2.2 has its own example: user "user", realm "realm", password "pass".
static void makes_the_key_of_rfc_8489(void **state)
{
    static const uint8_t expected[STUN_KEY_LEN] = {
        0x84, 0x93, 0xfb, 0xc5, 0x3b, 0xa5, 0x82, 0xfb,
        0x4c, 0x04, 0x4c, 0x45, 0x6b, 0xdc, 0x40, 0xeb,
    };

    (void)state;
    assert_key("user", "realm", "pass", (struct bytes){expected, sizeof expected});
}

static void takes_empty_parts(void **state)
{
    // MD5("::").
    static const uint8_t expected[STUN_KEY_LEN] = {
        0x45, 0x01, 0xc0, 0x91, 0xb0, 0x36, 0x6d, 0x76,
        0xea, 0x32, 0x18, 0xb6, 0xcf, 0xdd, 0x80, 0x97,
    };

    (void)state;
    assert_key(NULL, "", NULL, (struct bytes){expected, sizeof expected});
}

static void assert_key_sha256(const char *username, const char *realm, const char *password,
                              const uint8_t expected[STUN_KEY_SHA256_LEN])
{
    uint8_t key[STUN_KEY_SHA256_LEN];

    stun_key_long_term_sha256(bytes_of_text(username), bytes_of_text(realm),
                              bytes_of_text(password), key);
    assert_memory_equal(key, expected, sizeof key);
}

static void makes_the_sha256_key_of_rfc_8489_appendix_b_1(void **state)
{
    uint8_t key[STUN_KEY_SHA256_LEN];

    (void)state;
    stun_key_long_term_sha256(rfc8489_username(), rfc8489_realm(), rfc8489_password(), key);
    assert_int_equal(rfc8489_key().len, sizeof key);
    assert_memory_equal(key, rfc8489_key().ptr, sizeof key);
}

static void makes_sha256_keys_as_sha256sum_does(void **state)
{
    // printf user:realm:pass | sha256sum
    static const uint8_t plain[STUN_KEY_SHA256_LEN] = {
        0x07, 0xe9, 0x34, 0x11, 0x7a, 0xbd, 0x40, 0x83, 0x6e, 0x7c, 0x63,
        0x29, 0xb5, 0x47, 0x31, 0xb2, 0xb2, 0xd2, 0xa5, 0xf9, 0xa7, 0x1f,
        0x54, 0x49, 0x22, 0xd7, 0x5e, 0x07, 0x30, 0xd8, 0x25, 0x1b,
    };
    // The timed credential from above.
    static const uint8_t timed[STUN_KEY_SHA256_LEN] = {
        0xaf, 0xbe, 0xa0, 0x8c, 0xaa, 0x20, 0xcb, 0x28, 0x57, 0xaf, 0xc9,
        0x19, 0xb8, 0xb3, 0xa5, 0xff, 0xa3, 0x8b, 0x6a, 0x0b, 0xa2, 0x41,
        0x7a, 0x5a, 0xbc, 0x8f, 0x26, 0x51, 0xd3, 0x40, 0x90, 0x30,
    };
    // printf :: | sha256sum
    static const uint8_t empty[STUN_KEY_SHA256_LEN] = {
        0x71, 0x54, 0x68, 0x55, 0xd6, 0x27, 0x9e, 0xf7, 0x0d, 0x20, 0x90,
        0x9b, 0x29, 0x2c, 0x42, 0xc2, 0xdc, 0xb0, 0x2c, 0xd0, 0x6b, 0xde,
        0x01, 0x48, 0x5d, 0xa5, 0x2d, 0x13, 0xe3, 0x04, 0xeb, 0xf4,
    };

    (void)state;
    assert_key_sha256("user", "realm", "pass", plain);
    assert_key_sha256("1685984278:uvdgKvS9GXYZ_vmv", "firezone",
                      "6xUIoZ+QvxKhRasLifwfRkMXl+ETLJUsFkHlXjlHAkg", timed);
    assert_key_sha256(NULL, "", NULL, empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_key_of_rfc_5769_section_2_4),
        cmocka_unit_test(keeps_the_colon_of_a_timed_username),
        cmocka_unit_test(makes_the_key_of_rfc_8489),
        cmocka_unit_test(takes_empty_parts),
        cmocka_unit_test(makes_the_sha256_key_of_rfc_8489_appendix_b_1),
        cmocka_unit_test(makes_sha256_keys_as_sha256sum_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
