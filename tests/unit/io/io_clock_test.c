// SPDX-License-Identifier: Apache-2.0
#include "io/io_clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void runs_forwards_and_knows_the_year(void **state)
{
    struct now before = io_clock_now();

    (void)state;
    assert_true(before.mono_ns > 0);
    assert_true(before.wall_s > 1700000000); // November 2023
    for (int i = 0; i < 1000; i++) {
        const struct now after = io_clock_now();
        assert_true(after.mono_ns >= before.mono_ns);
        before = after;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_forwards_and_knows_the_year),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
