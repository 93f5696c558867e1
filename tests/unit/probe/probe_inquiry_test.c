// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_inquiry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "conf/conf_args.h"
#include "conform/conform.h"
#include "probe/probe_conform.h"

enum { WORDS_MAX = 24 };

static struct conf conf;
static struct probe_inquiry_config config;

static bool read_words(const char *line)
{
    static char text[512];
    char *words[WORDS_MAX] = {0};
    int count = 0;

    assert_true(strlen(line) < sizeof text);
    strcpy(text, line);
    for (char *word = strtok(text, " "); word != NULL; word = strtok(NULL, " ")) {
        assert_true(count < WORDS_MAX);
        words[count++] = word;
    }
    conf_init(&conf, &probe_conform_table);
    conf_args_read(&conf, count, words);
    return probe_inquiry_read(&conf, conform_subjects, conform_subject_count, &config);
}

static void knows_ids_and_their_first_words(void **state)
{
    (void)state;
    assert_true(read_words("conform 192.0.2.1 --only allocate --only data-icmp --except "
                           "data-icmp-says-what --known channel-reserved-400"));
    assert_int_equal(config.only.count, 2);
    assert_int_equal(config.except.count, 1);
    assert_int_equal(config.known.count, 1);
    assert_false(read_words("conform 192.0.2.1 --only alloc"));
    assert_false(read_words("conform 192.0.2.1 --known nothing"));
    assert_false(read_words("conform 192.0.2.1 --except allocate-"));
}

static void has_a_format(void **state)
{
    (void)state;
    assert_true(read_words("conform 192.0.2.1"));
    assert_int_equal(config.format, PROBE_INQUIRY_TEXT);
    assert_false(config.has_details);
    assert_true(read_words("conform 192.0.2.1 --format junit --hex"));
    assert_int_equal(config.format, PROBE_INQUIRY_JUNIT);
    assert_true(config.has_details);
    assert_false(read_words("conform 192.0.2.1 --format pdf"));
    assert_true(read_words("conform --list"));
    assert_int_equal(config.repeat, 1);
    assert_true(read_words("conform 192.0.2.1 --repeat 20 --allow-skips"));
    assert_int_equal(config.repeat, 20);
    assert_true(config.allows_skips);
    assert_false(read_words("conform 192.0.2.1 --repeat 0"));
    assert_false(read_words("conform 192.0.2.1 --known-file /dev/null/none"));
}

static bool counts(enum talk_verdict verdict, bool is_known, bool is_strict)
{
    static struct probe_inquiry_result result;
    static struct probe_inquiry_config strict;
    const struct probe_inquiry inquiry = {.config = &strict, .results = &result, .count = 1};

    strict.is_strict = is_strict;
    strict.known.entries[0].id = bytes_of_text("data-icmp");
    strict.known.count = is_known;
    result.check = conform_find("data-icmp");
    result.talk.verdict = verdict;
    return probe_inquiry_counts(&inquiry, &result);
}

static void counts_faults_that_are_not_known(void **state)
{
    (void)state;
    assert_true(counts(TALK_FAIL, false, false));
    assert_false(counts(TALK_FAIL, true, false));
    assert_false(counts(TALK_WARN, false, false));
    assert_false(counts(TALK_LACKS, false, false));
    assert_true(counts(TALK_WARN, false, true));
    assert_true(counts(TALK_LACKS, false, true));
    assert_false(counts(TALK_SKIP, false, true));
    assert_false(counts(TALK_PASS, false, true));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_ids_and_their_first_words),
        cmocka_unit_test(has_a_format),
        cmocka_unit_test(counts_faults_that_are_not_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
