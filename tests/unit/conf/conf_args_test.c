// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_args.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "sample.h"

// C makes no `char *const *` of constant texts by itself; nobody writes through it.
#define READ(conf, table, ...)                                                                     \
    read_arguments(conf, table, (char *const *)(const char *const[]){"program", __VA_ARGS__, NULL})

static void read_arguments(struct conf *conf, const struct conf_table *table, char *const *argv)
{
    int argc = 0;

    while (argv[argc] != NULL) {
        argc++;
    }
    conf_init(conf, table);
    conf_args_read(conf, argc, argv);
}

static void reads_values_behind_a_blank_or_an_equals_sign(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, &sample_table, "--listen-port", "1", "--realm=a=b", "--user=", "--user", "",
         "--allow-peer", "-1", "--user=--x");
    SAMPLE_VALUES(&conf, "listen-port", "1", NULL);
    SAMPLE_VALUES(&conf, "realm", "a=b", NULL);
    SAMPLE_VALUES(&conf, "user", "", "", "--x", NULL);
    SAMPLE_VALUES(&conf, "allow-peer", "-1", NULL);
    SAMPLE_ERRORS(&conf.errors, NULL);
}

static void reads_nothing_from_an_empty_command_line(void **state)
{
    struct conf conf;
    char *nothing[] = {NULL};

    (void)state;
    conf_init(&conf, &sample_table);
    conf_args_read(&conf, 0, nothing);
    SAMPLE_ERRORS(&conf.errors, NULL);
    assert_int_equal(conf.value_count, 0);
}

static void keeps_repeated_options_in_their_order_without_splitting(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, &sample_table, "--user", "a:1,2", "--realm", "r", "--user", "b:\\3");
    SAMPLE_VALUES(&conf, "user", "a:1,2", "b:\\3", NULL);
    SAMPLE_ERRORS(&conf.errors, NULL);
}

static void reads_flags_long_and_short(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, &sample_table, "--is-quiet", "-h");
    assert_true(conf_flag(&conf, "is-quiet"));
    assert_true(conf_flag(&conf, "help"));
    assert_false(conf_flag(&conf, "version"));
    READ(&conf, &sample_table, "--is-quiet=false", "-V");
    assert_false(conf_flag(&conf, "is-quiet"));
    assert_true(conf_flag(&conf, "version"));
    SAMPLE_ERRORS(&conf.errors, NULL);
    READ(&conf, &sample_table, "--help=me", "--help", "-h");
    SAMPLE_ERRORS(&conf.errors, "--help: 'me' is neither true nor false (command line, argument 1)",
                  "--help: given twice, but takes one value; the first is argument 2 "
                  "(command line, argument 3)",
                  NULL);
}

static void reads_values_behind_a_letter(void **state)
{
    static const struct {
        const char *arguments[2];
        const char *value;
    } cases[] = {
        {{"-r", "a"}, "a"},   {{"-r", "-1"}, "-1"},  {{"-r", ""}, ""},
        {{"-ra", "-V"}, "a"}, {{"-r=a", "-V"}, "a"}, {{"-r=", "-V"}, ""},
    };
    struct conf conf;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        READ(&conf, &sample_table, cases[i].arguments[0], cases[i].arguments[1]);
        SAMPLE_VALUES(&conf, "realm", cases[i].value, NULL);
        SAMPLE_ERRORS(&conf.errors, NULL);
    }
    READ(&conf, &sample_table, "-r", "--is-quiet");
    SAMPLE_ERRORS(&conf.errors,
                  "--realm: the value is missing; write --realm=NAME (command line, argument 1)",
                  NULL);
    READ(&conf, &sample_table, "-r");
    SAMPLE_ERRORS(&conf.errors,
                  "--realm: the value is missing; write --realm=NAME (command line, argument 1)",
                  NULL);
}

static void refuses_an_unknown_option_and_suggests_a_near_one(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, &sample_table, "--listen-prt=7", "--bind", "-x", "-config=7", "--usr=a:secret",
         "-hV", "---help", "--=x");
    SAMPLE_ERRORS(
        &conf.errors,
        "unknown option '--listen-prt'; did you mean '--listen-port'? (command line, argument 1)",
        "unknown option '--bind'; --help lists all options (command line, argument 2)",
        "unknown option '-x'; --help lists all options (command line, argument 3)",
        "unknown option '-config'; did you mean '--config'? (command line, argument 4)",
        "unknown option '--usr'; did you mean '--user'? (command line, argument 5)",
        "unknown option; --help lists all options (command line, argument 6)",
        "unknown option '---help'; did you mean '--help'? (command line, argument 7)",
        "unknown option; --help lists all options (command line, argument 8)", NULL);
}

static void repeats_nothing_of_an_argument_behind_its_name(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, &sample_table, "--usr:a:secret", "-u:secret", "--user a:secret");
    SAMPLE_ERRORS(&conf.errors,
                  "unknown option '--usr'; did you mean '--user'? (command line, argument 1)",
                  "unknown option; --help lists all options (command line, argument 2)",
                  "--user: the value is missing; write --user=NAME:PASSWORD "
                  "(command line, argument 3)",
                  NULL);
}

static void repeats_nothing_that_may_be_a_value(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, &sample_table, "--user", "--hunter", "--Hunter", "--hunter2", "-hunter",
         "--a-very-long-secret-of-letters-alone", "-xsecret", "--prot=secret");
    SAMPLE_ERRORS(&conf.errors,
                  "--user: the value is missing; write --user=NAME:PASSWORD "
                  "(command line, argument 1)",
                  "unknown option; --help lists all options (command line, argument 2)",
                  "unknown option; --help lists all options (command line, argument 3)",
                  "unknown option; --help lists all options (command line, argument 4)",
                  "unknown option; --help lists all options (command line, argument 5)",
                  "unknown option; --help lists all options (command line, argument 6)",
                  "unknown option; --help lists all options (command line, argument 7)",
                  "unknown option '--prot'; --help lists all options (command line, argument 8)",
                  NULL);
}

static void finds_a_forgotten_value(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, &sample_table, "--realm", "--listen-port", "7", "--user");
    SAMPLE_VALUES(&conf, "listen-port", "7", NULL);
    SAMPLE_ERRORS(&conf.errors,
                  "--realm: the value is missing; write --realm=NAME (command line, argument 1)",
                  "--user: the value is missing; write --user=NAME:PASSWORD "
                  "(command line, argument 4)",
                  NULL);
}

static void refuses_an_argument_without_a_name_and_does_not_repeat_it(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, &sample_table, "--user", "a:b", "secret", "-", "", "--", "--help");
    SAMPLE_ERRORS(&conf.errors,
                  "this argument belongs to no option; a value with blanks needs quotes "
                  "(command line, argument 3)",
                  "this argument belongs to no option; a value with blanks needs quotes "
                  "(command line, argument 4)",
                  "this argument belongs to no option; a value with blanks needs quotes "
                  "(command line, argument 5)",
                  "this argument belongs to no option; a value with blanks needs quotes "
                  "(command line, argument 7)",
                  NULL);
    assert_false(conf_flag(&conf, "help"));
}

static void gives_arguments_without_a_name_to_positional_options(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, &sample_positional_table, "t0ken", "--is-quiet", "--", "-name");
    SAMPLE_VALUES(&conf, "token", "t0ken", NULL);
    SAMPLE_VALUES(&conf, "name", "-name", NULL);
    SAMPLE_ERRORS(&conf.errors, NULL);
    READ(&conf, &sample_positional_table, "--token=a", "b");
    SAMPLE_ERRORS(&conf.errors,
                  "--token: given twice, but takes one value; the first is argument 1 "
                  "(command line, argument 2)",
                  NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values_behind_a_blank_or_an_equals_sign),
        cmocka_unit_test(reads_nothing_from_an_empty_command_line),
        cmocka_unit_test(keeps_repeated_options_in_their_order_without_splitting),
        cmocka_unit_test(reads_flags_long_and_short),
        cmocka_unit_test(reads_values_behind_a_letter),
        cmocka_unit_test(refuses_an_unknown_option_and_suggests_a_near_one),
        cmocka_unit_test(repeats_nothing_of_an_argument_behind_its_name),
        cmocka_unit_test(repeats_nothing_that_may_be_a_value),
        cmocka_unit_test(finds_a_forgotten_value),
        cmocka_unit_test(refuses_an_argument_without_a_name_and_does_not_repeat_it),
        cmocka_unit_test(gives_arguments_without_a_name_to_positional_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
