// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_help.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"

static const struct conf_program program = {
    .name = "fairlead-sample",
    .summary = "Shows what help looks like.",
    .note = "Options come from the command line, the environment, and a file, in that order of "
            "strength.",
};

static void shows_every_option_once_under_its_heading(void **state)
{
    static const char expected[] = "Shows what help looks like.\n"
                                   "\n"
                                   "Usage: fairlead-sample [OPTIONS]\n";
    static uint8_t memory[8192];
    struct wr wr = wr_init(memory, sizeof memory - 1);

    (void)state;
    conf_help_write(&wr, &sample_table, &program);
    assert_true(wr_ok(&wr));
    memory[wr.len] = '\0';
    assert_memory_equal(memory, expected, sizeof expected - 1);
    assert_non_null(strstr((char *)memory, "\nProgram:\n"
                                           "  -h, --help\n"
                                           "          Prints this text.\n"
                                           "  -V, --version\n"));
    assert_non_null(strstr((char *)memory, "\n\nAddresses:\n"
                                           "  --listen-port PORT\n"
                                           "          Port for clients.\n"
                                           "          [default: 3478]\n"
                                           "          [environment: LISTEN_PORT]\n"
                                           "\n"
                                           "Access:\n"));
    assert_non_null(strstr((char *)memory, "[default: the host's name]"));
    assert_non_null(strstr((char *)memory, "Adds a user. May be repeated.\n"));
    assert_null(strstr((char *)memory, "token"));
}

static void shows_positional_options_in_the_usage(void **state)
{
    static uint8_t memory[8192];
    struct wr wr = wr_init(memory, sizeof memory - 1);

    (void)state;
    conf_help_write(&wr, &sample_positional_table, &program);
    assert_true(wr_ok(&wr));
    memory[wr.len] = '\0';
    assert_non_null(strstr((char *)memory, "Usage: fairlead-sample [OPTIONS] TOKEN [NAME]\n"));
}

static void keeps_every_line_within_80_columns(void **state)
{
    static const struct conf_option options[] = {{
        .name = "long",
        .placeholder = "TEXT",
        .default_note = "a note that goes on for more than one line, so that it must be wrapped "
                        "as well as the help is, and the bracket that ends it never stands alone",
        .group = "Group",
        .help = "A text with words of many lengths, some short, some incomprehensibly long, all "
                "of which are put into lines that a terminal of eighty columns shows without "
                "breaking them a second time. Another sentence: one two three four five six.",
    }};
    static const struct conf_table table = {options, COUNT_OF(options)};
    static uint8_t memory[4096];
    struct wr wr = wr_init(memory, sizeof memory);

    (void)state;
    conf_help_write(&wr, &table, &program);
    assert_true(wr_ok(&wr));
    struct bytes left = wr_done(&wr);
    while (left.len > 0) {
        size_t len = bytes_index(left, '\n');
        assert_true(len <= 80);
        assert_true(len == 0 || left.ptr[len - 1] != ' ');
        left = bytes_from(left, len + 1);
    }
}

static void fails_when_the_memory_is_full(void **state)
{
    static uint8_t memory[100];
    struct wr wr = wr_init(memory, sizeof memory);

    (void)state;
    conf_help_write(&wr, &sample_table, &program);
    assert_false(wr_ok(&wr));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shows_every_option_once_under_its_heading),
        cmocka_unit_test(shows_positional_options_in_the_usage),
        cmocka_unit_test(keeps_every_line_within_80_columns),
        cmocka_unit_test(fails_when_the_memory_is_full),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
