// SPDX-License-Identifier: Apache-2.0
#include "io/io_random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void fills_all_of_it_and_no_more(void **state)
{
    // More than one getrandom gives without a chance to be interrupted.
    static uint8_t bytes[1 << 20];
    uint32_t seen[256] = {0};

    (void)state;
    io_random_fill(bytes, sizeof(bytes) - 1);
    assert_int_equal(bytes[sizeof(bytes) - 1], 0);
    for (size_t i = 0; i < sizeof(bytes) - 1; i++) {
        seen[bytes[i]]++;
    }
    for (size_t i = 0; i < 256; i++) { // 4096 each expected, 64 is the standard deviation
        assert_in_range(seen[i], 4096 - 1000, 4096 + 1000);
    }
}

static void differs_from_call_to_call(void **state)
{
    uint8_t a[32] = {0};
    uint8_t b[32] = {0};

    (void)state;
    io_random_fill(a, sizeof(a));
    io_random_fill(b, sizeof(b));
    assert_memory_not_equal(a, b, sizeof(a));
}

static void bears_a_length_of_zero(void **state)
{
    (void)state;
    io_random_fill(NULL, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_all_of_it_and_no_more),
        cmocka_unit_test(differs_from_call_to_call),
        cmocka_unit_test(bears_a_length_of_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
