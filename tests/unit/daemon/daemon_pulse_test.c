// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_pulse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { WORKERS = 3 };

static void counts_those_that_have_not_answered(void **state)
{
    static struct daemon_pulse pulse;

    (void)state;
    daemon_pulse_init(&pulse, WORKERS);
    assert_int_equal(daemon_pulse_missing(&pulse), 0);
    for (int round = 0; round < 3; round++) {
        daemon_pulse_ask(&pulse);
        for (uint32_t i = 0; i < WORKERS; i++) {
            assert_int_equal(daemon_pulse_missing(&pulse), WORKERS - i);
            daemon_pulse_answer(&pulse, i);
            daemon_pulse_answer(&pulse, i);
        }
        assert_int_equal(daemon_pulse_missing(&pulse), 0);
    }
}

static void an_old_answer_is_none(void **state)
{
    static struct daemon_pulse pulse;

    (void)state;
    daemon_pulse_init(&pulse, WORKERS);
    daemon_pulse_ask(&pulse);
    daemon_pulse_answer(&pulse, 1);
    daemon_pulse_ask(&pulse);
    assert_int_equal(daemon_pulse_missing(&pulse), WORKERS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_those_that_have_not_answered),
        cmocka_unit_test(an_old_answer_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
