// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_sample.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void quantiles_are_of_what_came_back(void **state)
{
    static struct probe_samples samples;

    (void)state;
    probe_sample_begin(&samples, 1, PROBE_CONFIG_SIZE_MIN);
    assert_int_equal(probe_sample_quantile(&samples, 500), 0);
    for (uint64_t i = 0; i < 1000; i++) { // 1000, 999, ... 1
        samples.round_trips_ns[samples.count++] = 1000 - i;
    }
    assert_int_equal(probe_sample_quantile(&samples, 0), 1);
    assert_int_equal(probe_sample_quantile(&samples, 500), 501);
    assert_int_equal(probe_sample_quantile(&samples, 990), 991);
    assert_int_equal(probe_sample_quantile(&samples, 1000), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quantiles_are_of_what_came_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
