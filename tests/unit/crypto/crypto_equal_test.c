// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_equal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void finds_every_single_bit_that_differs(void **state)
{
    uint8_t a[32];
    uint8_t b[32];

    (void)state;
    memset(a, 0x5a, sizeof a);
    for (size_t len = 1; len <= sizeof a; len++) {
        for (size_t bit = 0; bit < len * 8; bit++) {
            memcpy(b, a, sizeof b);
            assert_true(crypto_equal((struct bytes){a, len}, (struct bytes){b, len}));
            b[bit / 8] ^= (uint8_t)(1 << bit % 8);
            assert_false(crypto_equal((struct bytes){a, len}, (struct bytes){b, len}));
        }
    }
}

static void tells_lengths_apart_without_reading_past_the_shorter(void **state)
{
    uint8_t *three = calloc(1, 3);
    uint8_t *four = calloc(1, 4);

    (void)state;
    assert_non_null(three);
    assert_non_null(four);
    assert_false(crypto_equal((struct bytes){three, 3}, (struct bytes){four, 4}));
    assert_false(crypto_equal((struct bytes){four, 4}, (struct bytes){three, 3}));
    assert_true(crypto_equal((struct bytes){three, 3}, (struct bytes){four, 3}));
    assert_false(crypto_equal((struct bytes){three, 3}, (struct bytes){0}));
    free(three);
    free(four);
}

static void holds_nothing_equal_to_nothing(void **state)
{
    (void)state;
    assert_true(crypto_equal((struct bytes){0}, (struct bytes){0}));
    assert_true(crypto_equal((struct bytes){0}, (struct bytes){(const uint8_t *)"x", 0}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_every_single_bit_that_differs),
        cmocka_unit_test(tells_lengths_apart_without_reading_past_the_shorter),
        cmocka_unit_test(holds_nothing_equal_to_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
