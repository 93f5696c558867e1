// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_args.h"
#include "conf/conf_env.h"

#include "sample.h"

static void read_text(struct conf *conf, const char *text)
{
    conf_init(conf, &sample_table);
    conf_file_read(conf, bytes_of_text(text), "relay.conf");
}

static void reads_keys_values_comments_and_blank_lines(void **state)
{
    struct conf conf;

    (void)state;
    read_text(&conf, "# comment\n"
                     "\n"
                     "  # listen-port = 1\n"
                     " \t\n"
                     "listen-port = 7\n"
                     "realm=a  b = c # not a comment\n"
                     "\tuser =  a:1,2\\ \n"
                     "user = b:2\n"
                     "is-quiet = yes");
    SAMPLE_ERRORS(&conf.errors, NULL);
    SAMPLE_VALUES(&conf, "listen-port", "7", NULL);
    SAMPLE_VALUES(&conf, "realm", "a  b = c # not a comment", NULL);
    SAMPLE_VALUES(&conf, "user", "a:1,2\\", "b:2", NULL);
    assert_true(conf_flag(&conf, "is-quiet"));
    assert_int_equal(conf_find(&conf, "realm")->place.number, 6);
}

static void tolerates_line_ends_and_marks_of_other_systems(void **state)
{
    struct conf conf;

    (void)state;
    read_text(&conf, "\xef\xbb\xbflisten-port = 7\r\n\r\nrealm = a\r\nuser = b:2\r");
    SAMPLE_ERRORS(&conf.errors, NULL);
    SAMPLE_VALUES(&conf, "listen-port", "7", NULL);
    SAMPLE_VALUES(&conf, "realm", "a", NULL);
    SAMPLE_VALUES(&conf, "user", "b:2", NULL);
}

static void reads_nothing_from_an_empty_file(void **state)
{
    struct conf conf;

    (void)state;
    read_text(&conf, "");
    assert_int_equal(conf.value_count, 0);
    SAMPLE_ERRORS(&conf.errors, NULL);
}

static void takes_one_pair_of_quotes_off_a_value(void **state)
{
    struct conf conf;

    (void)state;
    read_text(&conf, "user = \" a:1 \"\n"
                     "user = \"\"\n"
                     "user = \"\"a\"\"\n"
                     "user = a\"b\"\n"
                     "user = \"a\\\"b\"\n"
                     "user = \"\n"
                     "user = \"a\" # b\n");
    SAMPLE_VALUES(&conf, "user", " a:1 ", "", "\"a\"", "a\"b\"", "a\\\"b", NULL);
    SAMPLE_ERRORS(&conf.errors,
                  "--user: the value begins with a double quote but does not end with one "
                  "(relay.conf, line 6)",
                  "--user: the value begins with a double quote but does not end with one "
                  "(relay.conf, line 7)",
                  NULL);
}

static void refuses_an_unknown_key_with_its_line(void **state)
{
    struct conf conf;

    (void)state;
    read_text(&conf, "realm = a\nlisten_port = 7\n\n--realm = b\nbind = c\nREALM = d\n");
    SAMPLE_VALUES(&conf, "realm", "a", NULL);
    SAMPLE_ERRORS(&conf.errors,
                  "unknown key 'listen_port'; did you mean 'listen-port'? (relay.conf, line 2)",
                  "unknown key '--realm'; did you mean 'realm'? (relay.conf, line 4)",
                  "unknown key; --help lists all options (relay.conf, line 5)",
                  "unknown key 'REALM'; did you mean 'realm'? (relay.conf, line 6)", NULL);
}

static void refuses_what_is_no_line_of_a_file_and_reads_on(void **state)
{
    struct conf conf;

    (void)state;
    read_text(&conf, "user a:secret\n"
                     "user a:sec = ret\n"
                     "realm =\n"
                     "config = other.conf\n"
                     "help = true\n"
                     "is-quiet = \n"
                     "listen-port = 7\n"
                     "listen-port = 8\n");
    SAMPLE_VALUES(&conf, "listen-port", "7", NULL);
    SAMPLE_ERRORS(&conf.errors,
                  "this line is neither 'key = value' nor a '# comment' (relay.conf, line 1)",
                  "this line is neither 'key = value' nor a '# comment' (relay.conf, line 2)",
                  "--realm: the value is missing; write realm = NAME (relay.conf, line 3)",
                  "--config: is no key for the file; give it on the command line or as "
                  "SAMPLE_CONFIG in the environment (relay.conf, line 4)",
                  "--help: is no key for the file; give it on the command line "
                  "(relay.conf, line 5)",
                  "--is-quiet: the value is missing; write is-quiet = true (relay.conf, line 6)",
                  "--listen-port: given twice, but takes one value; the first is in line 7 "
                  "(relay.conf, line 8)",
                  NULL);
}

static void refuses_nul_bytes_and_lines_over_the_limit(void **state)
{
    static const struct bytes nul = BYTES_LITERAL("realm = a\0b\n# \0\nlisten-port = 7\n");
    static uint8_t text[CONF_FILE_LINE_MAX + 2];
    struct conf conf;

    (void)state;
    conf_init(&conf, &sample_table);
    conf_file_read(&conf, nul, NULL);
    SAMPLE_VALUES(&conf, "listen-port", "7", NULL);
    SAMPLE_ERRORS(&conf.errors,
                  "this line has a NUL byte, but configuration is text (file, line 1)",
                  "this line has a NUL byte, but configuration is text (file, line 2)", NULL);

    memset(text, 'a', sizeof text);
    memcpy(text, "realm=", 6);
    text[CONF_FILE_LINE_MAX] = '\n';
    conf_init(&conf, &sample_table);
    conf_file_read(&conf, (struct bytes){text, CONF_FILE_LINE_MAX + 1}, NULL);
    SAMPLE_ERRORS(&conf.errors, NULL);
    assert_int_equal(conf_find(&conf, "realm")->text.len, CONF_FILE_LINE_MAX - 6);

    text[CONF_FILE_LINE_MAX] = 'a';
    text[CONF_FILE_LINE_MAX + 1] = '\n';
    conf_init(&conf, &sample_table);
    conf_file_read(&conf, (struct bytes){text, sizeof text}, NULL);
    SAMPLE_ERRORS(&conf.errors, "this line is too long; the limit is 4096 bytes (file, line 1)",
                  NULL);
}

static void gives_way_to_stronger_sources(void **state)
{
    struct conf conf;
    const char *const argv[] = {"program", "--user", "a:1", NULL};
    const char *const environment[] = {"SAMPLE_USER=b:2", "SAMPLE_REALM=b", NULL};
    struct wr scratch = wr_init(NULL, 0);

    (void)state;
    conf_init(&conf, &sample_table);
    conf_args_read(&conf, 3, (char *const *)argv);
    conf_env_read(&conf, (char *const *)environment, &scratch);
    conf_file_read(&conf, bytes_of_text("user = c:3\nrealm = c\nlisten-port = 3\n"), NULL);
    SAMPLE_VALUES(&conf, "user", "a:1", NULL);
    SAMPLE_VALUES(&conf, "realm", "b", NULL);
    SAMPLE_VALUES(&conf, "listen-port", "3", NULL);
    SAMPLE_ERRORS(&conf.errors, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_keys_values_comments_and_blank_lines),
        cmocka_unit_test(tolerates_line_ends_and_marks_of_other_systems),
        cmocka_unit_test(reads_nothing_from_an_empty_file),
        cmocka_unit_test(takes_one_pair_of_quotes_off_a_value),
        cmocka_unit_test(refuses_an_unknown_key_with_its_line),
        cmocka_unit_test(refuses_what_is_no_line_of_a_file_and_reads_on),
        cmocka_unit_test(refuses_nul_bytes_and_lines_over_the_limit),
        cmocka_unit_test(gives_way_to_stronger_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
