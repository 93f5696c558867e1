// SPDX-License-Identifier: Apache-2.0
#include "base/histogram.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const uint64_t upper[] = {10, 20, 50};
static const struct histogram_bounds bounds = {upper, 3};

static void a_bound_belongs_to_what_is_below_it(void **state)
{
    const struct {
        uint64_t value;
        size_t place;
    } cases[] = {{0, 0}, {9, 0}, {10, 0}, {11, 1}, {20, 1}, {21, 2}, {50, 2}, {51, 3}, {9999, 3}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t histogram[HISTOGRAM_LEN(3)] = {0};
        histogram_add(histogram, &bounds, cases[i].value, 1);
        for (size_t k = 0; k <= bounds.count; k++) {
            assert_int_equal(histogram[k], k == cases[i].place);
        }
        assert_int_equal(histogram_sum(histogram, &bounds), cases[i].value);
    }
}

static void counts_and_sums_all(void **state)
{
    uint64_t histogram[HISTOGRAM_LEN(3)] = {0};

    (void)state;
    assert_int_equal(histogram_count(histogram, &bounds), 0);
    histogram_add(histogram, &bounds, 15, 4);
    histogram_add(histogram, &bounds, 16, 0);
    histogram_add(histogram, &bounds, 100, 2);
    assert_int_equal(histogram[1], 4);
    assert_int_equal(histogram[3], 2);
    assert_int_equal(histogram_count(histogram, &bounds), 6);
    assert_int_equal(histogram_sum(histogram, &bounds), 260);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bound_belongs_to_what_is_below_it),
        cmocka_unit_test(counts_and_sums_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
