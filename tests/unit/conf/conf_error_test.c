// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_error.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"

static struct conf_value value_of(const char *name, enum conf_source source, const char *text)
{
    return (struct conf_value){
        .option = conf_option_find(&sample_table, bytes_of_text(name)),
        .place = {source, 7},
        .text = bytes_of_text(text),
    };
}

static void names_the_place_of_each_source(void **state)
{
    struct conf_errors errors = {.file_name = "/etc/relay.conf"};
    struct conf_value given[] = {
        value_of("realm", CONF_COMMAND_LINE, "x"),     value_of("realm", CONF_ENVIRONMENT, "x"),
        value_of("allow-peer", CONF_ENVIRONMENT, "x"), value_of("realm", CONF_FILE, "x"),
        value_of("realm", CONF_DEFAULT, "x"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(given); i++) {
        conf_error_value(&errors, &given[i], "is wrong");
    }
    SAMPLE_ERRORS(&errors, "--realm: 'x' is wrong (command line, argument 7)",
                  "--realm: 'x' is wrong (environment, SAMPLE_REALM)",
                  "--allow-peer: 'x' is wrong (environment, SAMPLE_ALLOW_PEER, value 7)",
                  "--realm: 'x' is wrong (/etc/relay.conf, line 7)",
                  "--realm: 'x' is wrong (default)", NULL);
}

static void keeps_no_secret(void **state)
{
    struct conf_errors errors = {0};
    struct conf_value secret = value_of("user", CONF_FILE, "alice hunter2");

    (void)state;
    conf_error_value(&errors, &secret, "is not NAME:PASSWORD");
    assert_int_equal(errors.items[0].given.len, 0);
    SAMPLE_ERRORS(&errors, "--user: the value is not NAME:PASSWORD (file, line 7)", NULL);
}

static void cuts_what_is_long_and_escapes_what_is_not_text(void **state)
{
    struct conf_errors errors = {.file_name = "a\nb"};
    struct conf_value odd = value_of("realm", CONF_FILE, "a\x1b[2J\xc3\xa4'\x7f");
    char text[CONF_ERROR_QUOTE_MAX + 2];
    struct conf_value long_one = value_of("realm", CONF_FILE, "");

    (void)state;
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    long_one.text = bytes_of_text(text);
    conf_error_value(&errors, &odd, "is odd");
    conf_error_value(&errors, &long_one, "is long");
    SAMPLE_ERRORS(&errors, "--realm: 'a\\x1b[2J\\xc3\\xa4'\\x7f' is odd (a\\x0ab, line 7)",
                  "--realm: 'yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy...' "
                  "is long (a\\x0ab, line 7)",
                  NULL);
}

static void tells_every_way_to_give_what_is_missing(void **state)
{
    struct conf_errors errors = {0};

    (void)state;
    conf_error_missing(&errors, conf_option_find(&sample_table, bytes_of_text("realm")));
    conf_error_missing(&errors, conf_option_find(&sample_table, bytes_of_text("help")));
    SAMPLE_ERRORS(&errors,
                  "--realm: must be given: --realm=NAME, or SAMPLE_REALM in the environment, or "
                  "realm in the file",
                  "--help: must be given: --help=true", NULL);
    errors = (struct conf_errors){0};
    conf_error_missing(&errors, conf_option_find(&sample_positional_table, bytes_of_text("token")));
    SAMPLE_ERRORS(&errors,
                  "TOKEN: must be given, or SAMPLE_TOKEN in the environment, or token in the file",
                  NULL);
}

static void counts_what_it_cannot_keep(void **state)
{
    struct conf_errors errors = {0};
    struct conf_value value = value_of("realm", CONF_FILE, "x");

    (void)state;
    for (size_t i = 0; i < CONF_ERROR_MAX + 3; i++) {
        conf_error_value(&errors, &value, i < CONF_ERROR_MAX ? "is kept" : "is left off");
    }
    assert_int_equal(errors.count, CONF_ERROR_MAX);
    assert_int_equal(errors.left_off, 3);
    assert_string_equal(errors.items[CONF_ERROR_MAX - 1].wanted.predicate, "is kept");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_the_place_of_each_source),
        cmocka_unit_test(keeps_no_secret),
        cmocka_unit_test(cuts_what_is_long_and_escapes_what_is_not_text),
        cmocka_unit_test(tells_every_way_to_give_what_is_missing),
        cmocka_unit_test(counts_what_it_cannot_keep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
