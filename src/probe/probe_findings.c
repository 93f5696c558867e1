// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_findings.h"

#include <inttypes.h>
#include <string.h>

#include "base/macro.h"
#include "probe/probe_baseline.h"
#include "probe/probe_grade.h"
#include "probe/probe_json.h"
#include "probe/probe_junit.h"
#include "probe/probe_markdown.h"
#include "talk/talk_words.h"

static const char *const levels[] = {"MUST", "SHOULD", "MAY"};

const char *probe_findings_words(const struct talk_log_entry *entry,
                                 char text[PROBE_FINDINGS_WORDS_MAX])
{
    struct wr wr = wr_init((uint8_t *)text, PROBE_FINDINGS_WORDS_MAX - 1);

    talk_words_write(&wr, talk_log_bytes(entry));
    text[wr.len] = '\0';
    return text;
}

static void hex_print(const struct talk_log_entry *entry, FILE *out)
{
    struct bytes bytes = talk_log_bytes(entry);

    for (size_t i = 0; i < bytes.len; i++) {
        if (i % 32 == 0) {
            fprintf(out, "%s                  ", i > 0 ? "\n" : "");
        }
        fprintf(out, "%s%02x", i % 4 == 0 && i % 32 != 0 ? " " : "", bytes.ptr[i]);
    }
    fprintf(out, bytes.len > 0 ? "\n" : "");
}

static void log_print(const struct talk *talk, bool has_hex, FILE *out)
{
    char words[PROBE_FINDINGS_WORDS_MAX];

    for (uint32_t i = 0; i < talk_log_kept(&talk->log); i++) {
        const struct talk_log_entry *entry = &talk->log.entries[i];
        fprintf(out, "      %8.3f %s %s %u: %s\n", (double)entry->at_ns / (double)SECOND_NS,
                entry->is_sent ? ">" : "<", entry->is_peer ? "peer" : "client", entry->index,
                entry->is_peer ? "" : probe_findings_words(entry, words));
        if (has_hex) {
            hex_print(entry, out);
        }
    }
    if (talk->log.count > TALK_LOG_ENTRIES) {
        fprintf(out, "      and %u more\n", talk->log.count - TALK_LOG_ENTRIES);
    }
}

static void cure_print(const struct talk_cure *cure, FILE *out)
{
    if (cure != NULL) {
        fprintf(out, "      coturn: %s\n      pion: %s\n      fairlead: %s\n", cure->coturn,
                cure->pion, cure->fairlead);
    }
}

static void known_print(const struct probe_known_entry *known, FILE *out)
{
    if (known == NULL) {
        return;
    }
    fprintf(out, "  known%s%.*s", known->reason.len > 0 ? ": " : "", (int)known->reason.len,
            (const char *)known->reason.ptr);
}

static void result_print(const struct probe_inquiry *inquiry,
                         const struct probe_inquiry_result *result, FILE *out)
{
    const struct talk *talk = &result->talk;
    const bool is_weighed = result->check->severity != TALK_UNWEIGHED;
    const bool is_sometimes = result->found_count < result->asked_count;

    fprintf(out, "\n%s  %s  (%s%s%s)", probe_grade_name(result), result->check->id,
            result->check->section, is_weighed ? "" : ", ",
            is_weighed ? "" : levels[result->check->level]);
    if (is_sometimes && talk->verdict != TALK_PASS) {
        fprintf(out, "  %u of %u times", result->found_count, result->asked_count);
    }
    known_print(probe_baseline_find(inquiry, result), out);
    fprintf(out, "\n      %s\n", result->check->rule);
    if (talk->verdict == TALK_SKIP) {
        fprintf(out, "      not tried: %s\n", talk->came);
    } else if (talk->verdict != TALK_PASS) {
        fprintf(out, is_weighed ? "      %s\n" : "      the RFC: \"%s\"\n", result->check->words);
        fprintf(out, "      expected: %s\n      came: %s\n", talk->expected, talk->came);
        cure_print(result->check->cure, out);
    }
    if (inquiry->config->has_details) {
        log_print(talk, inquiry->config->has_hex, out);
    }
}

// What of a reason is the same for all that share it: nonces and addresses behind it differ.
static struct bytes reason_of(const struct probe_inquiry_result *result)
{
    struct bytes text = bytes_of_text(result->talk.came);
    static const char *const ends[] = {", NONCE", ", REALM", ", XOR-"};

    for (size_t at = 0; at < text.len; at++) {
        for (size_t i = 0; i < COUNT_OF(ends); i++) {
            struct bytes rest = bytes_from(text, at);
            if (bytes_equal_text(bytes_first(rest, strlen(ends[i])), ends[i])) {
                return bytes_first(text, at);
            }
        }
    }
    return text;
}

static bool is_skipped_so(const struct probe_inquiry *inquiry,
                          const struct probe_inquiry_result *result, struct bytes reason,
                          bool is_known)
{
    return result->talk.verdict == TALK_SKIP && bytes_equal(reason_of(result), reason) &&
           (probe_baseline_find(inquiry, result) != NULL) == is_known;
}

// All that were skipped for the same reason as the one at `first`, unless it was told before.
static void skips_print(const struct probe_inquiry *inquiry, size_t first, FILE *out)
{
    const struct probe_inquiry_result *result = &inquiry->results[first];
    struct bytes reason = reason_of(result);
    const bool is_known = probe_baseline_find(inquiry, result) != NULL;
    uint32_t count = 0;

    for (size_t i = 0; i < inquiry->count; i++) {
        const bool is_same = is_skipped_so(inquiry, &inquiry->results[i], reason, is_known);
        if (is_same && i < first) {
            return;
        }
        count += is_same;
    }
    fprintf(out, "\nskip  %u %s not tried%s: %.*s\n     ", count, count > 1 ? "checks" : "check",
            is_known ? ", as known" : "", (int)reason.len, (const char *)reason.ptr);
    for (size_t i = first; i < inquiry->count; i++) {
        if (is_skipped_so(inquiry, &inquiry->results[i], reason, is_known)) {
            fprintf(out, " %s", inquiry->results[i].check->id);
        }
    }
    fprintf(out, "\n");
}

static void row_print(const char *name, const uint32_t counts[PROBE_GRADE_MAX], size_t count,
                      FILE *out)
{
    fprintf(out, "%-34s", name);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, " %6u", counts[i]);
    }
    fprintf(out, "\n");
}

static void table_print(const struct probe_inquiry *inquiry, FILE *out)
{
    const struct probe_grade_scale *scale = probe_grade_scale_of(inquiry);
    const struct talk_subject *last = NULL;
    uint32_t counts[PROBE_GRADE_MAX];

    fprintf(out, "\n%-34s", "");
    for (size_t i = 0; i < scale->count; i++) {
        fprintf(out, " %6s", scale->names[i]);
    }
    fprintf(out, "\n");
    for (size_t i = 0; i < inquiry->count; i++) {
        if (inquiry->results[i].subject != last) {
            last = inquiry->results[i].subject;
            probe_grade_count(inquiry, last, counts);
            row_print(last->name, counts, scale->count, out);
        }
    }
    probe_grade_count(inquiry, NULL, counts);
    row_print("all", counts, scale->count, out);
    fputs(scale->legend, out);
}

static void text_print(const struct probe_inquiry *inquiry, FILE *out)
{
    char server[PROBE_ENDPOINT_TEXT_MAX];
    // Who names checks, and wants to see the datagrams, wants to see those of all of them.
    const bool is_told_alone = inquiry->config->has_details && inquiry->config->only.count > 0;

    fprintf(out, "%s of %s, %zu checks\n", inquiry->name,
            probe_endpoint_text(&inquiry->config->target.server, server), inquiry->count);
    for (size_t i = 0; i < inquiry->count; i++) {
        const enum talk_verdict verdict = inquiry->results[i].talk.verdict;
        if (is_told_alone || (verdict != TALK_PASS && verdict != TALK_SKIP)) {
            result_print(inquiry, &inquiry->results[i], out);
        }
    }
    for (size_t i = 0; i < inquiry->count && !is_told_alone; i++) {
        if (inquiry->results[i].talk.verdict == TALK_SKIP) {
            skips_print(inquiry, i, out);
        }
    }
    table_print(inquiry, out);
    probe_baseline_sum(inquiry, out);
}

void probe_findings_print(const struct probe_inquiry *inquiry, FILE *out)
{
    switch (inquiry->config->format) {
    case PROBE_INQUIRY_TEXT:
        text_print(inquiry, out);
        break;
    case PROBE_INQUIRY_JSON:
        probe_json_print(inquiry, out);
        break;
    case PROBE_INQUIRY_JUNIT:
        probe_junit_print(inquiry, out);
        break;
    case PROBE_INQUIRY_MARKDOWN:
        probe_markdown_print(inquiry, out);
        break;
    }
}

static void check_list(const struct talk_check *check, FILE *out)
{
    const bool is_weighed = check->severity != TALK_UNWEIGHED;

    fprintf(out, "  %-36s %-18s %-6s %s%s\n", check->id, check->section,
            is_weighed ? talk_severity_names[check->severity] : levels[check->level], check->rule,
            check->is_slow ? " (slow)" : "");
}

void probe_findings_list(const struct talk_subject *const *subjects, size_t subject_count,
                         FILE *out)
{
    for (size_t i = 0; i < subject_count; i++) {
        fprintf(out, "%s%s\n", i > 0 ? "\n" : "", subjects[i]->name);
        for (size_t j = 0; j < subjects[i]->count; j++) {
            check_list(&subjects[i]->checks[j], out);
        }
    }
}

static void check_page(const struct talk_check *check, FILE *out)
{
    static const char *const meanings[] = {
        "a fault: the RFC requires it",
        "a warning: the RFC recommends it",
        "a feature that is lacking: the RFC allows it",
    };

    if (check->severity != TALK_UNWEIGHED) {
        fprintf(out, "### %s\n\n%s %s\n\nSeverity: %s. See %s.%s\n\n", check->id, check->rule,
                check->words, talk_severity_names[check->severity], check->section,
                check->is_slow ? " Tried with `--slow` only." : "");
        fprintf(out, "- coturn: %s\n- pion: %s\n- fairlead: %s\n\n", check->cure->coturn,
                check->cure->pion, check->cure->fairlead);
        return;
    }
    fprintf(out, "### %s\n\n%s\n\n> %s\n\n%s. A finding is %s%s.\n\n", check->id, check->rule,
            check->words, check->section, meanings[check->level],
            check->is_slow ? "; only with `--slow`" : "");
}

void probe_findings_page(const struct probe_findings_head *head,
                         const struct talk_subject *const *subjects, size_t subject_count,
                         FILE *out)
{
    fprintf(out,
            "<!-- SPDX-License-Identifier: Apache-2.0 -->\n"
            "<!-- Made from the table of checks: tools/findings --write -->\n"
            "# %s\n\n%s\n",
            head->title, head->text);
    for (size_t i = 0; i < subject_count; i++) {
        fprintf(out, "\n## %s\n\n%s\n\n", subjects[i]->name, subjects[i]->about);
        for (size_t j = 0; j < subjects[i]->count; j++) {
            check_page(&subjects[i]->checks[j], out);
        }
    }
}
