// SPDX-License-Identifier: Apache-2.0
#include "log/log_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

// How many of `count` lines at this time pass.
static int passed(struct log_limit *limit, uint64_t mono_ns, int count)
{
    int passed_count = 0;

    for (int i = 0; i < count; i++) {
        uint64_t suppressed_count = 0;
        passed_count += log_limit_take(limit, mono_ns, &suppressed_count);
    }
    return passed_count;
}

static void lets_a_burst_pass_and_then_one_an_interval(void **state)
{
    struct log_limit limit = {.interval_ns = SECOND_NS, .burst = 3};

    (void)state;
    assert_int_equal(passed(&limit, 5 * SECOND_NS, 10), 3);
    assert_int_equal(passed(&limit, 6 * SECOND_NS - 1, 10), 0);
    assert_int_equal(passed(&limit, 6 * SECOND_NS, 10), 1);
    assert_int_equal(passed(&limit, 8 * SECOND_NS, 10), 2);
    assert_int_equal(passed(&limit, 100 * SECOND_NS, 10), 3); // full again, and no fuller
}

static void lets_the_first_burst_pass_right_after_boot(void **state)
{
    struct log_limit limit = LOG_LIMIT_DEFAULT;

    (void)state;
    assert_int_equal(passed(&limit, 0, 20), 10);
    assert_int_equal(passed(&limit, SECOND_NS, 20), 1);
}

static void reports_each_suppressed_line_once(void **state)
{
    struct log_limit limit = {.interval_ns = SECOND_NS, .burst = 1};
    uint64_t suppressed_count = 77;

    (void)state;
    assert_true(log_limit_take(&limit, 0, &suppressed_count));
    assert_int_equal(suppressed_count, 0);
    suppressed_count = 77;
    for (int i = 0; i < 4; i++) {
        assert_false(log_limit_take(&limit, 0, &suppressed_count));
    }
    assert_int_equal(suppressed_count, 77); // untouched
    assert_true(log_limit_take(&limit, SECOND_NS, &suppressed_count));
    assert_int_equal(suppressed_count, 4);
    assert_true(log_limit_take(&limit, 2 * SECOND_NS, &suppressed_count));
    assert_int_equal(suppressed_count, 0);
}

static void bears_a_clock_that_is_behind_another_threads(void **state)
{
    struct log_limit limit = {.interval_ns = SECOND_NS, .burst = 2};

    (void)state;
    assert_int_equal(passed(&limit, 9 * SECOND_NS, 1), 1);
    assert_int_equal(passed(&limit, 3 * SECOND_NS, 5), 0);
    assert_int_equal(passed(&limit, 9 * SECOND_NS, 5), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_a_burst_pass_and_then_one_an_interval),
        cmocka_unit_test(lets_the_first_burst_pass_right_after_boot),
        cmocka_unit_test(reports_each_suppressed_line_once),
        cmocka_unit_test(bears_a_clock_that_is_behind_another_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
