// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_wipe.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void zeroes_what_it_is_given_and_nothing_beside_it(void **state)
{
    uint8_t memory[64];

    (void)state;
    for (size_t from = 0; from <= sizeof memory; from++) {
        for (size_t to = from; to <= sizeof memory; to++) {
            memset(memory, 0xa5, sizeof memory);
            crypto_wipe(memory + from, to - from);
            for (size_t i = 0; i < sizeof memory; i++) {
                assert_int_equal(memory[i], i >= from && i < to ? 0 : 0xa5);
            }
        }
    }
}

static void zeroes_whatever_was_used_of_much(void **state)
{
    enum { LEN = 3 * 4096 + 100 };
    static uint8_t memory[LEN];

    (void)state;
    for (size_t used = 0; used < LEN; used += 61) {
        memory[used] = 1;
        memory[LEN - 1] = 2;
        crypto_wipe_used(memory, LEN - 1);
        assert_int_equal(memory[used], used == LEN - 1 ? 2 : 0);
        assert_int_equal(memory[LEN - 1], 2); // beside it
    }
    crypto_wipe_used(memory, LEN);
    assert_int_equal(memory[LEN - 1], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroes_what_it_is_given_and_nothing_beside_it),
        cmocka_unit_test(zeroes_whatever_was_used_of_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
