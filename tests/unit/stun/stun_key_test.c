// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_key.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "stun/rfc5769.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_key_of_rfc_5769_section_2_4),
        cmocka_unit_test(keeps_the_colon_of_a_timed_username),
        cmocka_unit_test(makes_the_key_of_rfc_8489),
        cmocka_unit_test(takes_empty_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
