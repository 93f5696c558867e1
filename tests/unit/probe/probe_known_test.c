// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_known.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "attack/attack.h"
#include "base/macro.h"
#include "conf/conf_args.h"
#include "conform/conform.h"
#include "probe/probe_conform.h"

static void reads_lines(void **state)
{
    static const struct {
        const char *line;
        const char *id;
        const char *grade;
        bool is_sometimes;
        const char *reason;
    } rows[] = {
        {"data-icmp", "data-icmp", "", false, ""},
        {"data-icmp warn", "data-icmp", "warn", false, ""},
        {"  data-icmp\twarn \t# no ICMP  ", "data-icmp", "warn", false, "no ICMP"},
        {"data-icmp sometimes # a # b", "data-icmp", "", true, "a # b"},
        {"data-icmp high sometimes#\xC3\xBC", "data-icmp", "high", true, "\xC3\xBC"},
        {"data-icmp skip", "data-icmp", "skip", false, ""},
        {"", "", "", false, ""},
        {" # a comment", "", "", false, "a comment"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct probe_known_entry entry;
        assert_null(probe_known_line(bytes_of_text(rows[i].line), &entry));
        assert_true(bytes_equal_text(entry.id, rows[i].id));
        assert_true(bytes_equal_text(entry.grade, rows[i].grade));
        assert_int_equal(entry.is_sometimes, rows[i].is_sometimes);
        assert_true(bytes_equal_text(entry.reason, rows[i].reason));
    }
}

static void refuses_lines_that_say_something_else(void **state)
{
    static const char *const lines[] = {
        "data-icmp pass",           "data-icmp warn fail",
        "data-icmp sometimes warn", "data-icmp sometimes sometimes",
        "data-icmp: no ICMP",       "data-icmp warn no ICMP",
        "data-icmp # \xFF",         "data-icmp # \x1B[31m",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct probe_known_entry entry;
        assert_non_null(probe_known_line(bytes_of_text(lines[i]), &entry));
    }
}

// Reads a file of that text; how many errors there are.
static size_t read_text(const char *text, const struct talk_subject *const *subjects,
                        size_t subject_count, struct probe_known *out)
{
    static struct conf conf;
    static char path[] = "/tmp/probe_known_test.XXXXXX";
    static char known[] = "--known=binding";
    static char known_file[64];
    char *words[] = {known, known, known_file}; // the first is the program's name

    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
    snprintf(known_file, sizeof known_file, "--known-file=%s", path);
    conf_init(&conf, &probe_conform_table);
    conf_args_read(&conf, COUNT_OF(words), words);
    *out = (struct probe_known){0};
    probe_known_read(&conf, subjects, subject_count, out);
    unlink(path);
    return conf.errors.count;
}

static void reads_a_file_behind_the_command_line(void **state)
{
    static struct probe_known known;

    (void)state;
    assert_int_equal(read_text("# head\n\ndata-icmp warn # so it is\r\nchannel-reserved-400",
                               conform_subjects, conform_subject_count, &known),
                     0);
    assert_int_equal(known.count, 3);
    assert_true(known.entries[0].is_beginning);
    assert_int_equal(known.entries[0].line, 0);
    assert_int_equal(known.entries[1].line, 3);
    assert_true(bytes_equal_text(known.entries[1].reason, "so it is"));
    assert_int_equal(known.entries[2].line, 4);
    assert_true(probe_known_means(&known.entries[0], conform_find("binding-software")));
    assert_true(probe_known_means(&known.entries[1], conform_find("data-icmp")));
    assert_false(probe_known_means(&known.entries[1], conform_find("data-icmp-says-what")));
}

static void refuses_checks_that_there_are_not(void **state)
{
    static struct probe_known known;

    (void)state;
    assert_int_equal(read_text("data\ndata-icmp high\ndata-icmp\ndata-icmp\nrelay-loopback\n",
                               conform_subjects, conform_subject_count, &known),
                     4); // no whole id, no such grade, twice, an attack's
    assert_int_equal(read_text("relay-loopback high\nrelay-private warn\n", attack_subjects,
                               attack_subject_count, &known),
                     2); // one is "binding" of the command line
}

static void refuses_a_file_that_is_too_long(void **state)
{
    static struct probe_known known;
    static char text[PROBE_KNOWN_FILE_MAX + 2];

    (void)state;
    memset(text, '\n', PROBE_KNOWN_FILE_MAX);
    assert_int_equal(read_text(text, conform_subjects, conform_subject_count, &known), 0);
    text[PROBE_KNOWN_FILE_MAX] = '\n';
    assert_int_equal(read_text(text, conform_subjects, conform_subject_count, &known), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_lines),
        cmocka_unit_test(refuses_lines_that_say_something_else),
        cmocka_unit_test(reads_a_file_behind_the_command_line),
        cmocka_unit_test(refuses_checks_that_there_are_not),
        cmocka_unit_test(refuses_a_file_that_is_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
