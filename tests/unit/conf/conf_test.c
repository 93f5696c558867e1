// SPDX-License-Identifier: Apache-2.0
#include "conf/conf.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "sample.h"

// Gives one value, as a source does.
static void give(struct conf *conf, const char *name, enum conf_source source, size_t number,
                 const char *text)
{
    conf_add(conf, &(struct conf_value){
                       .option = conf_option_find(conf->table, bytes_of_text(name)),
                       .place = {source, number},
                       .text = bytes_of_text(text),
                   });
}

static void answers_defaults_while_nothing_is_given(void **state)
{
    struct conf conf;

    (void)state;
    conf_init(&conf, &sample_table);
    SAMPLE_VALUES(&conf, "listen-port", "3478", NULL);
    assert_int_equal(conf_find(&conf, "listen-port")->place.source, CONF_DEFAULT);
    assert_null(conf_find(&conf, "realm")); // its default is a note for readers only
    assert_null(conf_find(&conf, "user"));
    assert_false(conf_flag(&conf, "help"));
}

static void lets_the_strongest_source_supply_all_values_of_an_option(void **state)
{
    struct conf conf;

    (void)state;
    conf_init(&conf, &sample_table);
    give(&conf, "listen-port", CONF_COMMAND_LINE, 1, "1");
    give(&conf, "user", CONF_ENVIRONMENT, 1, "a:1");
    give(&conf, "user", CONF_ENVIRONMENT, 2, "b:2");
    give(&conf, "listen-port", CONF_ENVIRONMENT, 1, "2");
    give(&conf, "user", CONF_FILE, 1, "c:3");
    give(&conf, "listen-port", CONF_FILE, 2, "3");
    give(&conf, "realm", CONF_FILE, 3, "here");
    SAMPLE_VALUES(&conf, "listen-port", "1", NULL);
    SAMPLE_VALUES(&conf, "user", "a:1", "b:2", NULL);
    SAMPLE_VALUES(&conf, "realm", "here", NULL);
    assert_int_equal(conf.errors.count, 0);
}

static void leaves_out_what_is_held(void **state)
{
    struct conf conf;

    (void)state;
    conf_init(&conf, &sample_table);
    give(&conf, "user", CONF_COMMAND_LINE, 1, "");
    give(&conf, "listen-port", CONF_COMMAND_LINE, 2, "1");
    give(&conf, "user", CONF_COMMAND_LINE, 3, "");
    conf_hold(&conf, conf_option_find(&sample_table, bytes_of_text("user")));
    conf_hold(&conf, conf_option_find(&sample_table, bytes_of_text("realm")));
    give(&conf, "user", CONF_FILE, 1, "c:3");
    give(&conf, "realm", CONF_FILE, 2, "here");
    SAMPLE_VALUES(&conf, "listen-port", "1", NULL);
    assert_null(conf_find(&conf, "user"));
    assert_null(conf_find(&conf, "realm"));
    assert_true(conf_is_given(&conf, "user"));
    assert_true(conf_is_given(&conf, "listen-port"));
    assert_false(conf_is_given(&conf, "help"));
    assert_int_equal(conf.errors.count, 0);
}

static void refuses_a_second_value_within_one_source_only(void **state)
{
    struct conf conf;

    (void)state;
    conf_init(&conf, &sample_table);
    give(&conf, "realm", CONF_COMMAND_LINE, 1, "a");
    give(&conf, "realm", CONF_COMMAND_LINE, 3, "b");
    give(&conf, "realm", CONF_COMMAND_LINE, 5, "c");
    give(&conf, "realm", CONF_FILE, 8, "d");
    give(&conf, "realm", CONF_FILE, 9, "e"); // even though the command line overrides both
    SAMPLE_VALUES(&conf, "realm", "a", NULL);
    SAMPLE_ERRORS(&conf.errors,
                  "--realm: given twice, but takes one value; the first is argument 1 "
                  "(command line, argument 3)",
                  "--realm: given twice, but takes one value; the first is argument 1 "
                  "(command line, argument 5)",
                  "--realm: given twice, but takes one value; the first is in line 8 "
                  "(file, line 9)",
                  NULL);
}

static void reads_a_flag_when_it_is_given(void **state)
{
    struct conf conf;

    (void)state;
    conf_init(&conf, &sample_table);
    give(&conf, "is-quiet", CONF_ENVIRONMENT, 1, "off");
    give(&conf, "is-quiet", CONF_FILE, 1, "true");
    assert_false(conf_flag(&conf, "is-quiet"));
    give(&conf, "help", CONF_FILE, 2, "1");
    assert_true(conf_flag(&conf, "help"));
    give(&conf, "version", CONF_FILE, 3, "maybe");
    assert_false(conf_flag(&conf, "version"));
    SAMPLE_ERRORS(&conf.errors, "--version: 'maybe' is neither true nor false (file, line 3)",
                  NULL);
}

static void takes_as_many_values_as_fit_and_no_more(void **state)
{
    struct conf conf;
    size_t count = 0;

    (void)state;
    conf_init(&conf, &sample_table);
    for (size_t i = 1; i <= CONF_VALUE_MAX; i++) {
        give(&conf, "allow-peer", CONF_FILE, i, "::1");
    }
    assert_int_equal(conf.errors.count, 0);
    give(&conf, "allow-peer", CONF_FILE, CONF_VALUE_MAX + 1, "::2");
    SAMPLE_ERRORS(&conf.errors,
                  "--allow-peer: there is room for 4096 values of all options together "
                  "(file, line 4097)",
                  NULL);
    for (const struct conf_value *value = conf_find(&conf, "allow-peer"); value != NULL;
         value = conf_next(&conf, "allow-peer", value)) {
        count++;
        assert_true(bytes_equal_text(value->text, "::1"));
    }
    assert_int_equal(count, CONF_VALUE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_defaults_while_nothing_is_given),
        cmocka_unit_test(lets_the_strongest_source_supply_all_values_of_an_option),
        cmocka_unit_test(leaves_out_what_is_held),
        cmocka_unit_test(refuses_a_second_value_within_one_source_only),
        cmocka_unit_test(reads_a_flag_when_it_is_given),
        cmocka_unit_test(takes_as_many_values_as_fit_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
