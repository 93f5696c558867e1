// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_section.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_args.h"
#include "conf/conf_file.h"

#include "sample.h"

static const struct conf_option options[] = {
    {.name = "relay", .placeholder = "HOST", .group = "All", .help = "Where."},
    {
        .name = "target",
        .placeholder = "PORT",
        .is_of_section = true,
        .group = "Each",
        .help = "What.",
    },
    {
        .name = "host",
        .placeholder = "HOST",
        .is_repeated = true,
        .is_of_section = true,
        .group = "Each",
        .help = "By what.",
    },
    {
        .name = "mode",
        .placeholder = "WORD",
        .default_text = "off",
        .is_of_section = true,
        .group = "Each",
        .help = "How.",
    },
    {.name = "take", .is_of_section = true, .group = "Each", .help = "Takes."},
};
static const struct conf_table table = {options, COUNT_OF(options), .has_sections = true};

static void read_text(struct conf *conf, const char *text, char *argument)
{
    char program[] = "expose";
    char *const arguments[] = {program, argument};

    conf_init(conf, &table);
    conf_args_read(conf, argument == NULL ? 1 : 2, arguments);
    conf_file_read(conf, bytes_of_text(text), "a.conf");
}

static void expect(const struct conf_value *value, const char *text)
{
    assert_non_null(value);
    assert_true(bytes_equal_text(value->text, text));
}

static void keeps_what_stands_below_each_heading_apart(void **state)
{
    static struct conf conf;

    (void)state;
    read_text(&conf,
              "relay = a\nmode = v1\n\n[web]\ntarget = 1\nhost = x\nhost = y\ntake = yes\n"
              " [ ssh ] \r\n# of the second\ntarget = 2\nmode = v2\n",
              NULL);
    SAMPLE_ERRORS(&conf.errors, NULL);
    assert_int_equal(conf.section_count, 2);
    assert_true(bytes_equal_text(conf.sections[0].name, "web"));
    assert_true(bytes_equal_text(conf.sections[1].name, "ssh"));
    assert_int_equal(conf.sections[1].number, 9);
    SAMPLE_VALUES(&conf, "target", NULL);
    SAMPLE_VALUES(&conf, "host", NULL);
    assert_false(conf_is_given(&conf, "target"));
    assert_false(conf_flag(&conf, "take"));
    expect(conf_section_find(&conf, 1, "target"), "1");
    expect(conf_section_find(&conf, 2, "target"), "2");
    const struct conf_value *host = conf_section_next(&conf, 1, "host", NULL);
    expect(host, "x");
    host = conf_section_next(&conf, 1, "host", host);
    expect(host, "y");
    assert_null(conf_section_next(&conf, 1, "host", host));
    assert_null(conf_section_find(&conf, 2, "host"));
    expect(conf_section_find(&conf, 1, "take"), "yes");
    assert_null(conf_section_find(&conf, 2, "take"));
}

static void finds_what_is_of_all_where_a_section_says_nothing(void **state)
{
    static struct conf conf;

    (void)state;
    read_text(&conf, "mode = v1\n[a]\nmode = v2\n[b]\n", NULL);
    expect(conf_section_find(&conf, 1, "mode"), "v2");
    expect(conf_section_find(&conf, 2, "mode"), "v1");
    read_text(&conf, "[a]\n", NULL);
    expect(conf_section_find(&conf, 1, "mode"), "off");
}

static void is_overridden_by_no_source(void **state)
{
    static struct conf conf;
    char argument[] = "--mode=v1";

    (void)state;
    read_text(&conf, "[a]\nmode = v2\n[b]\n", argument);
    SAMPLE_ERRORS(&conf.errors, NULL);
    expect(conf_section_find(&conf, 1, "mode"), "v2");
    expect(conf_section_find(&conf, 2, "mode"), "v1");
    SAMPLE_VALUES(&conf, "mode", "v1", NULL);
}

static void tells_what_is_wrong_with_sections(void **state)
{
    static struct conf conf;

    (void)state;
    read_text(&conf, "[a]\nrelay = x\ntarget = 1\ntarget = 2\n[a]\ntake = perhaps\n[]\n[b\n[ \t]\n",
              NULL);
    conf_section_error(&conf, 1, "lacks something");
    SAMPLE_ERRORS(
        &conf.errors,
        "--relay: is of the whole file; it stands above the first heading (a.conf, line 2)",
        "--target: given twice, but takes one value; the first is in line 3 (a.conf, line 4)",
        "[a] is there twice (a.conf, line 5)",
        "--take: 'perhaps' is neither true nor false (a.conf, line 6)",
        "this line is neither 'key = value' nor a '# comment' (a.conf, line 7)",
        "this line is neither 'key = value' nor a '# comment' (a.conf, line 8)",
        "this line is neither 'key = value' nor a '# comment' (a.conf, line 9)",
        "[a] lacks something (a.conf, line 1)", NULL);
}

static void counts_them(void **state)
{
    static struct conf conf;
    char text[CONF_SECTION_MAX * 8 + 64];
    size_t len = 0;

    (void)state;
    for (int i = 0; i < CONF_SECTION_MAX; i++) {
        len += (size_t)snprintf(text + len, sizeof text - len, "[n%d]\n", i);
    }
    read_text(&conf, text, NULL);
    SAMPLE_ERRORS(&conf.errors, NULL);
    assert_int_equal(conf.section_count, CONF_SECTION_MAX);
    snprintf(text + len, sizeof text - len, "[more]\ntarget = 1\nmode = v9\n");
    read_text(&conf, text, NULL);
    SAMPLE_ERRORS(&conf.errors,
                  "[more] is one section too many: there are 32 at most (a.conf, line 33)", NULL);
    assert_null(conf_section_next(&conf, CONF_SECTION_MAX, "target", NULL)); // it is not the last's
}

static void has_none_where_the_table_has_none(void **state)
{
    static struct conf conf;

    (void)state;
    conf_init(&conf, &sample_table);
    conf_file_read(&conf, bytes_of_text("[a]\n"), "a.conf");
    SAMPLE_ERRORS(&conf.errors,
                  "this line is neither 'key = value' nor a '# comment' (a.conf, line 1)", NULL);
    assert_int_equal(conf.section_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_stands_below_each_heading_apart),
        cmocka_unit_test(finds_what_is_of_all_where_a_section_says_nothing),
        cmocka_unit_test(is_overridden_by_no_source),
        cmocka_unit_test(tells_what_is_wrong_with_sections),
        cmocka_unit_test(counts_them),
        cmocka_unit_test(has_none_where_the_table_has_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
