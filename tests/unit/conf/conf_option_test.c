// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_option.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "sample.h"

static void finds_an_option_by_its_whole_name_only(void **state)
{
    (void)state;
    assert_non_null(conf_option_find(&sample_table, bytes_of_text("listen-port")));
    assert_null(conf_option_find(&sample_table, bytes_of_text("listen-por")));
    assert_null(conf_option_find(&sample_table, bytes_of_text("listen-ports")));
    assert_null(conf_option_find(&sample_table, bytes_of_text("")));
    assert_null(conf_option_find(&sample_table, bytes_of_text("token")));
}

static void finds_a_flag_by_its_letter(void **state)
{
    (void)state;
    assert_string_equal(conf_option_find_short(&sample_table, 'h')->name, "help");
    assert_string_equal(conf_option_find_short(&sample_table, 'V')->name, "version");
    assert_null(conf_option_find_short(&sample_table, 'v'));
}

static void gives_positional_options_in_the_order_of_the_table(void **state)
{
    (void)state;
    assert_string_equal(conf_option_find_positional(&sample_positional_table, 0)->name, "token");
    assert_string_equal(conf_option_find_positional(&sample_positional_table, 1)->name, "name");
    assert_null(conf_option_find_positional(&sample_positional_table, 2));
    assert_null(conf_option_find_positional(&sample_table, 0));
}

static void lets_a_repeated_positional_option_take_all_that_follow(void **state)
{
    const struct conf_option options[] = {
        {.name = "first", .placeholder = "A", .is_positional = true},
        {.name = "rest", .placeholder = "B", .is_positional = true, .is_repeated = true},
    };
    const struct conf_table table = {options, COUNT_OF(options)};

    (void)state;
    assert_ptr_equal(conf_option_find_positional(&table, 0), &options[0]);
    assert_ptr_equal(conf_option_find_positional(&table, 1), &options[1]);
    assert_ptr_equal(conf_option_find_positional(&table, 9), &options[1]);
}

static void knows_how_far_a_name_reaches(void **state)
{
    (void)state;
    assert_int_equal(conf_option_name_len(bytes_of_text("public-ip4_addr")), 15);
    assert_int_equal(conf_option_name_len(bytes_of_text("--user:a")), 6);
    assert_int_equal(conf_option_name_len(bytes_of_text("Z9 x")), 2);
    assert_int_equal(conf_option_name_len(bytes_of_text("")), 0);
    assert_int_equal(conf_option_name_len(bytes_of_text("\xc3\xa4")), 0);
}

static void checks_a_good_table(void **state)
{
    (void)state;
    conf_option_check(&sample_positional_table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_an_option_by_its_whole_name_only),
        cmocka_unit_test(finds_a_flag_by_its_letter),
        cmocka_unit_test(gives_positional_options_in_the_order_of_the_table),
        cmocka_unit_test(lets_a_repeated_positional_option_take_all_that_follow),
        cmocka_unit_test(knows_how_far_a_name_reaches),
        cmocka_unit_test(checks_a_good_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
