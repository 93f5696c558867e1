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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroes_what_it_is_given_and_nothing_beside_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
