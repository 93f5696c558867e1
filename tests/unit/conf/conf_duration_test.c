// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_duration.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void reads_units_from_days_to_seconds(void **state)
{
    static const struct {
        const char *text;
        uint64_t seconds;
    } cases[] = {
        {"45s", 45},
        {"0s", 0},
        {"30m", 1800},
        {"2h", 7200},
        {"1d", 86400},
        {"1d 2h 30m 45s", 86400 + 7200 + 1800 + 45},
        {"1d2h30m45s", 86400 + 7200 + 1800 + 45},
        {"1h  30s ", 3630},
        {"90m", 5400},
        {"4294967295d", UINT64_C(4294967295) * 86400},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t seconds = 0;
        assert_true(conf_duration_read(bytes_of_text(cases[i].text), &seconds));
        assert_int_equal(seconds, cases[i].seconds);
    }
}

static void refuses_all_else_and_leaves_out_alone(void **state)
{
    static const char *const cases[] = {
        "",      " ",     "30",          "s",      "1h 30",
        "1s 1h", "1h 1h", "1.5h",        "-1s",    "1 h",
        "1H",    "1w",    "4294967296s", "1h,30m", "1h+1m",
        "1ms",   "h1",    "1hh",         "0x1s",   "99999999999999999999s",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t seconds = 7;
        assert_false(conf_duration_read(bytes_of_text(cases[i]), &seconds));
        assert_int_equal(seconds, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_units_from_days_to_seconds),
        cmocka_unit_test(refuses_all_else_and_leaves_out_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
