// SPDX-License-Identifier: Apache-2.0
#include "io/io_limit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>

#include <cmocka.h>

static void raises_the_soft_limit_to_the_hard_one(void **state)
{
    struct rlimit limit;
    uint64_t now_count = 0;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max - 1;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < 2; i++) { // the second time there is nothing to raise
        assert_int_equal(io_limit_raise(&now_count), 0);
        assert_int_equal(now_count, limit.rlim_max);
        assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(limit.rlim_cur, limit.rlim_max);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(raises_the_soft_limit_to_the_hard_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
