// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_scdoc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"

static void writes_headings_names_text_and_notes(void **state)
{
    static uint8_t memory[8192];
    struct wr wr = wr_init(memory, sizeof memory - 1);

    (void)state;
    conf_scdoc_write(&wr, &sample_table);
    assert_true(wr_ok(&wr));
    memory[wr.len] = '\0';
    assert_non_null(strstr((char *)memory, "# OPTIONS\n\n## PROGRAM\n\n*-h*, *--help*\n"
                                           "\tPrints this text.\n"));
    assert_non_null(strstr((char *)memory, "\n*--listen-port* _PORT_\n"
                                           "\tPort for clients.++\n"
                                           "Default: 3478++\n"
                                           "Environment: *LISTEN\\_PORT*\n"));
    assert_non_null(strstr((char *)memory, "\tAdds a user. May be repeated. Reloaded.++\n"));
}

static void takes_the_meaning_from_everything_that_scdoc_would_read(void **state)
{
    static const struct conf_option options[] = {{
        .name = "odd",
        .placeholder = "A_B",
        .group = "Group",
        .help = "# no heading, _no underline_, *not bold*, a\\b, c++",
    }};
    static const struct conf_table table = {options, COUNT_OF(options)};
    static const char expected[] =
        "# OPTIONS\n\n## GROUP\n\n*--odd* _A\\_B_\n"
        "\t\\# no heading, \\_no underline\\_, \\*not bold\\*, a\\\\b, c\\+\\+\n";
    static uint8_t memory[1024];
    struct wr wr = wr_init(memory, sizeof memory - 1);

    (void)state;
    conf_scdoc_write(&wr, &table);
    assert_true(wr_ok(&wr));
    memory[wr.len] = '\0';
    assert_string_equal((char *)memory, expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_headings_names_text_and_notes),
        cmocka_unit_test(takes_the_meaning_from_everything_that_scdoc_would_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
