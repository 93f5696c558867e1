// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_options.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void is_a_table_as_it_should_be(void **state)
{
    (void)state;
    conf_option_check(&probe_options_table);
}

static void has_help_that_fits(void **state)
{
    static uint8_t text[16 * 1024];
    struct wr wr = wr_init(text, sizeof text);

    (void)state;
    conf_help_write(&wr, &probe_options_table, &probe_options_program);
    assert_true(wr_ok(&wr));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_a_table_as_it_should_be),
        cmocka_unit_test(has_help_that_fits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
