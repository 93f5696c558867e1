// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_userhash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "stun/rfc8489.h"

static void assert_hash(const char *username, const char *realm,
                        const uint8_t expected[STUN_USERHASH_LEN])
{
    uint8_t hash[STUN_USERHASH_LEN];

    stun_userhash(bytes_of_text(username), bytes_of_text(realm), hash);
    assert_memory_equal(hash, expected, sizeof hash);
}

static void makes_the_userhash_of_rfc_8489(void **state)
{
    uint8_t hash[STUN_USERHASH_LEN];

    (void)state;
    stun_userhash(rfc8489_username(), rfc8489_realm(), hash);
    assert_int_equal(rfc8489_userhash().len, sizeof hash);
    assert_memory_equal(hash, rfc8489_userhash().ptr, sizeof hash);
}

static void makes_what_sha256sum_makes(void **state)
{
    // printf user:realm | sha256sum
    static const uint8_t expected[STUN_USERHASH_LEN] = {
        0x6a, 0x30, 0x29, 0x11, 0x6b, 0x47, 0xaa, 0x98, 0xbc, 0xaa, 0x32,
        0x53, 0x99, 0x73, 0x3d, 0xc1, 0xa2, 0x3c, 0xd5, 0x7e, 0x26, 0xb8,
        0x1b, 0xef, 0x3f, 0xf6, 0x53, 0x1c, 0xe6, 0x24, 0xe2, 0xda,
    };

    (void)state;
    assert_hash("user", "realm", expected);
}

static void takes_empty_parts(void **state)
{
    // printf : | sha256sum
    static const uint8_t expected[STUN_USERHASH_LEN] = {
        0xe7, 0xac, 0x07, 0x86, 0x66, 0x8e, 0x0f, 0xf0, 0xf0, 0x2b, 0x62,
        0xbd, 0x04, 0xf4, 0x5f, 0xf6, 0x36, 0xfd, 0x82, 0xdb, 0x63, 0xb1,
        0x10, 0x46, 0x01, 0xc9, 0x75, 0xdc, 0x00, 0x5f, 0x3a, 0x67,
    };

    (void)state;
    assert_hash(NULL, NULL, expected);
    assert_hash("", "", expected);
}

// The colon of a timed username does not end it: the two spell the same text.
static void keeps_the_colon_of_a_timed_username(void **state)
{
    uint8_t one[STUN_USERHASH_LEN];
    uint8_t other[STUN_USERHASH_LEN];

    (void)state;
    stun_userhash(bytes_of_text("1685984278:salt"), bytes_of_text("realm"), one);
    stun_userhash(bytes_of_text("1685984278"), bytes_of_text("salt:realm"), other);
    assert_memory_equal(one, other, sizeof one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_the_userhash_of_rfc_8489),
        cmocka_unit_test(makes_what_sha256sum_makes),
        cmocka_unit_test(takes_empty_parts),
        cmocka_unit_test(keeps_the_colon_of_a_timed_username),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
