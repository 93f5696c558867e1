// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_env.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"

static uint8_t memory[64];

// C makes no `char *const *` of constant texts by itself; nobody writes through it.
#define READ(conf, ...)                                                                            \
    read_environment(conf, (char *const *)(const char *const[]){__VA_ARGS__, NULL})

static void read_environment(struct conf *conf, char *const *environment)
{
    struct wr scratch = wr_init(memory, sizeof memory);

    conf_init(conf, &sample_table);
    conf_env_read(conf, environment, &scratch);
}

static void takes_the_value_of_an_unrepeated_option_as_it_stands(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, "PATH=/bin", "LISTEN_PORT=7", "SAMPLE_REALM= a, b\\ = ", "SAMPLE_IS_QUIET=1");
    SAMPLE_VALUES(&conf, "listen-port", "7", NULL);
    SAMPLE_VALUES(&conf, "realm", " a, b\\ = ", NULL);
    assert_true(conf_flag(&conf, "is-quiet"));
    SAMPLE_ERRORS(&conf.errors, NULL);
}

static void leaves_alone_what_is_empty_or_not_its_own(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, "LISTEN_PORT=", "SAMPLE_USER=", "LISTEN_PORTS=1", "LISTEN_POR=2", "listen_port=3",
         "LISTEN_PORT", "", "=x", "SAMPLE_HELP=1", "LISTEN_PORT=8");
    SAMPLE_VALUES(&conf, "listen-port", "3478", NULL);
    assert_int_equal(conf.value_count, 0);
    SAMPLE_ERRORS(&conf.errors, NULL);
}

static void counts_the_first_of_two_variables_of_one_name(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, "SAMPLE_REALM=a", "SAMPLE_REALM=b");
    SAMPLE_VALUES(&conf, "realm", "a", NULL);
    SAMPLE_ERRORS(&conf.errors, NULL);
}

static void splits_a_repeated_option_at_its_commas(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, "SAMPLE_ALLOW_PEER=10.0.0.0/8, 192.0.2.1 ,::1");
    SAMPLE_VALUES(&conf, "allow-peer", "10.0.0.0/8", "192.0.2.1", "::1", NULL);
    SAMPLE_ERRORS(&conf.errors, NULL);
}

static void keeps_commas_and_backslashes_that_are_escaped(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, "SAMPLE_USER=a:1\\,2,b:\\\\,c:\\\\\\,,d:4");
    SAMPLE_VALUES(&conf, "user", "a:1,2", "b:\\", "c:\\,", "d:4", NULL);
    SAMPLE_ERRORS(&conf.errors, NULL);
}

static void refuses_empty_values_and_stray_backslashes(void **state)
{
    struct conf conf;

    (void)state;
    READ(&conf, "SAMPLE_USER=a:1,,b\\x:2,c:3\\", "SAMPLE_ALLOW_PEER=::1,");
    SAMPLE_VALUES(&conf, "user", "a:1", NULL);
    SAMPLE_ERRORS(&conf.errors,
                  "--user: an empty value; a comma stands between values, and \\, is a comma in "
                  "one (environment, SAMPLE_USER, value 2)",
                  "--user: a backslash stands only before a comma or a backslash; write \\\\ for "
                  "one (environment, SAMPLE_USER, value 3)",
                  "--user: a backslash stands only before a comma or a backslash; write \\\\ for "
                  "one (environment, SAMPLE_USER, value 4)",
                  "--allow-peer: an empty value; a comma stands between values, and \\, is a comma "
                  "in one (environment, SAMPLE_ALLOW_PEER, value 2)",
                  NULL);
}

static void says_when_scratch_memory_is_full(void **state)
{
    struct conf conf;
    char entry[120] = "SAMPLE_USER=";

    (void)state;
    memset(entry + strlen(entry), 'a', sizeof entry - strlen(entry) - 1);
    entry[100] = '\\';
    entry[101] = ',';
    entry[110] = ',';
    READ(&conf, entry);
    assert_int_equal(conf.value_count, 1); // the second has no escape and needs no memory
    SAMPLE_ERRORS(&conf.errors,
                  "--user: there is no room for so much behind backslashes; put it into the file "
                  "(environment, SAMPLE_USER, value 1)",
                  NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_value_of_an_unrepeated_option_as_it_stands),
        cmocka_unit_test(leaves_alone_what_is_empty_or_not_its_own),
        cmocka_unit_test(counts_the_first_of_two_variables_of_one_name),
        cmocka_unit_test(splits_a_repeated_option_at_its_commas),
        cmocka_unit_test(keeps_commas_and_backslashes_that_are_escaped),
        cmocka_unit_test(refuses_empty_values_and_stray_backslashes),
        cmocka_unit_test(says_when_scratch_memory_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
