// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_baseline.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attack/attack.h"
#include "base/macro.h"
#include "conform/conform.h"

static struct probe_inquiry_config config;
static struct probe_inquiry_result results[3];
static const struct probe_inquiry inquiry = {
    .name = "conform", .config = &config, .results = results, .count = COUNT_OF(results)};

// Three checks of which only the first is known, by a line, and all have passed.
static int begin(void **state)
{
    static const char *const ids[] = {"data-icmp", "channel-reserved-400", "binding-software"};

    (void)state;
    memset(&config, 0, sizeof config);
    memset(results, 0, sizeof results);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        results[i].check = conform_find(ids[i]);
        results[i].asked_count = 1;
    }
    config.known.count = 1;
    config.known.path = bytes_of_text("known");
    config.known.entries[0] = (struct probe_known_entry){.id = bytes_of_text(ids[0]), .line = 7};
    return 0;
}

static void came(size_t at, enum talk_verdict verdict)
{
    results[at].talk.verdict = verdict;
    results[at].found_count = verdict != TALK_PASS && verdict != TALK_SKIP;
    results[at].asked_count = verdict != TALK_SKIP;
}

static void knows_what_is_no_worse_than_the_line_says(void **state)
{
    static const struct {
        const char *grade;
        enum talk_verdict verdict;
        bool is_known;
    } rows[] = {
        {"", TALK_FAIL, true},       {"", TALK_LACKS, true},      {"", TALK_SKIP, false},
        {"warn", TALK_FAIL, false},  {"warn", TALK_WARN, true},   {"warn", TALK_LACKS, true},
        {"warn", TALK_SKIP, false},  {"skip", TALK_SKIP, true},   {"skip", TALK_FAIL, false},
        {"skip", TALK_LACKS, false}, {"lacks", TALK_WARN, false}, {"fail", TALK_FAIL, true},
        {"fail", TALK_PASS, false},  {"skip", TALK_PASS, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        config.known.entries[0].grade = bytes_of_text(rows[i].grade);
        came(0, rows[i].verdict);
        assert_int_equal(probe_baseline_find(&inquiry, &results[0]) != NULL, rows[i].is_known);
    }
    came(1, TALK_FAIL);
    assert_null(probe_baseline_find(&inquiry, &results[1]));
}

static void knows_attacks_by_their_severity(void **state)
{
    const struct talk_check *check = &attack_subjects[0]->checks[0];
    struct probe_inquiry attack = inquiry;

    (void)state;
    attack.count = 1;
    results[0].check = check;
    results[0].talk.verdict = TALK_FAIL;
    results[0].talk.severity = TALK_MEDIUM;
    config.known.entries[0].id = bytes_of_text(check->id);
    config.known.entries[0].grade = bytes_of_text("low");
    assert_null(probe_baseline_find(&attack, &results[0])); // it has become worse
    assert_true(probe_inquiry_counts(&attack, &results[0]));
    config.known.entries[0].grade = bytes_of_text("high");
    assert_non_null(probe_baseline_find(&attack, &results[0]));
    results[0].talk.severity = TALK_INFO;
    assert_non_null(probe_baseline_find(&attack, &results[0]));
}

static void tells_what_has_gone(void **state)
{
    struct probe_known_entry *entry = &config.known.entries[0];

    (void)state;
    assert_true(probe_baseline_is_gone(&inquiry, entry));
    entry->is_sometimes = true;
    assert_false(probe_baseline_is_gone(&inquiry, entry));
    entry->is_sometimes = false;
    came(0, TALK_SKIP); // it was not tried
    assert_false(probe_baseline_is_gone(&inquiry, entry));
    came(0, TALK_FAIL);
    assert_false(probe_baseline_is_gone(&inquiry, entry));
    entry->id = bytes_of_text("data-to-peer"); // which was not asked
    assert_false(probe_baseline_is_gone(&inquiry, entry));
    entry->id = bytes_of_text("binding");
    entry->is_beginning = true;
    assert_true(probe_baseline_is_gone(&inquiry, entry));
}

static void counts_all(void **state)
{
    struct probe_baseline_counts counts;

    (void)state;
    counts = probe_baseline_count(&inquiry);
    assert_int_equal(counts.gone, 1);
    came(0, TALK_WARN);
    came(1, TALK_FAIL);
    came(2, TALK_SKIP);
    counts = probe_baseline_count(&inquiry);
    assert_int_equal(counts.gone, 0);
    assert_int_equal(counts.known_findings, 1);
    assert_int_equal(counts.new_findings, 1);
    assert_int_equal(counts.new_skips, 1);
    assert_int_equal(counts.known_skips, 0);
    config.known.entries[0] = (struct probe_known_entry){.id = bytes_of_text("binding-software"),
                                                         .grade = bytes_of_text("skip")};
    counts = probe_baseline_count(&inquiry);
    assert_int_equal(counts.new_skips, 0);
    assert_int_equal(counts.known_skips, 1);
}

static char *printed(void (*print)(const struct probe_inquiry *inquiry, FILE *out))
{
    static char text[4096];
    FILE *file = fmemopen(text, sizeof text, "w");

    assert_non_null(file);
    print(&inquiry, file);
    fclose(file);
    return text;
}

static void says_what_is_new_and_what_has_gone(void **state)
{
    (void)state;
    came(1, TALK_FAIL);
    came(2, TALK_SKIP);
    assert_string_equal(printed(probe_baseline_sum),
                        "findings that count: 1 (channel-reserved-400); known: 0\n"
                        "not tried: 1, of them known: 0\n"
                        "gone: data-icmp is known, but is not found any more: take it out of "
                        "known, line 7\n");
}

// What it writes reads as what came, and keeps what was not asked, and the reasons.
static void writes_what_it_reads(void **state)
{
    (void)state;
    config.known.entries[0].reason = bytes_of_text("its makers know");
    config.known.entries[1] = (struct probe_known_entry){.id = bytes_of_text("data-to-peer"),
                                                         .grade = bytes_of_text("fail"),
                                                         .reason = bytes_of_text("not asked"),
                                                         .line = 8};
    config.known.count = 2;
    came(0, TALK_WARN);
    came(1, TALK_FAIL);
    strcpy(results[1].talk.expected, "an error");
    came(2, TALK_SKIP);
    strcpy(results[2].talk.came, "no answer");
    results[1].asked_count = 3;
    assert_string_equal(
        printed(probe_baseline_write),
        "# What fairlead-probe conform is known to find, for --known-file.\n"
        "# ID [GRADE] [sometimes] [# REASON]\n"
        "data-icmp                            warn   # its makers know\n"
        "channel-reserved-400                 fail   sometimes # expected an error\n"
        "binding-software                     skip   # no answer\n"
        "data-to-peer                         fail   # not asked\n");
    came(0, TALK_PASS); // gone
    assert_null(strstr(printed(probe_baseline_write), "data-icmp"));
    config.known.entries[0].is_sometimes = true;
    assert_non_null(strstr(printed(probe_baseline_write), "data-icmp "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(knows_what_is_no_worse_than_the_line_says, begin),
        cmocka_unit_test_setup(knows_attacks_by_their_severity, begin),
        cmocka_unit_test_setup(tells_what_has_gone, begin),
        cmocka_unit_test_setup(counts_all, begin),
        cmocka_unit_test_setup(says_what_is_new_and_what_has_gone, begin),
        cmocka_unit_test_setup(writes_what_it_reads, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
