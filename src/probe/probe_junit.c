// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_junit.h"

#include "probe/probe_baseline.h"
#include "probe/probe_grade.h"

// XML has no way to write control characters; what else is not ASCII is of the user's own file, and
// is told as it is.
static void byte_print(uint8_t byte, FILE *out)
{
    switch (byte) {
    case '&':
        fputs("&amp;", out);
        break;
    case '<':
        fputs("&lt;", out);
        break;
    case '>':
        fputs("&gt;", out);
        break;
    case '"':
        fputs("&quot;", out);
        break;
    default:
        fputc(byte < ' ' || byte == 0x7F ? ' ' : byte, out);
    }
}

static void span_print(struct bytes text, FILE *out)
{
    for (size_t i = 0; i < text.len; i++) {
        byte_print(text.ptr[i], out);
    }
}

static void text_print(const char *text, FILE *out)
{
    span_print(bytes_of_text(text), out);
}

struct totals {
    uint32_t tests;
    uint32_t failures;
    uint32_t skipped;
    uint64_t took_ns;
};

// Of one subject or, when it is NULL, of all.
static struct totals totals_of(const struct probe_inquiry *inquiry,
                               const struct talk_subject *subject)
{
    struct totals totals = {0};

    for (size_t i = 0; i < inquiry->count; i++) {
        const struct probe_inquiry_result *result = &inquiry->results[i];
        if (subject == NULL || result->subject == subject) {
            const bool is_failure = probe_inquiry_counts(inquiry, result);
            totals.tests++;
            totals.failures += is_failure;
            totals.skipped += !is_failure && result->talk.verdict != TALK_PASS;
            totals.took_ns += result->took_ns;
        }
    }
    return totals;
}

// "known: REASON: what came"
static void message_print(const struct probe_inquiry *inquiry,
                          const struct probe_inquiry_result *result, FILE *out)
{
    const struct probe_known_entry *known = probe_baseline_find(inquiry, result);

    if (known != NULL) {
        fprintf(out, "known: ");
        span_print(known->reason, out);
        fputs(known->reason.len > 0 ? ": " : "", out);
    } else if (result->talk.verdict == TALK_SKIP) {
        fprintf(out, "not tried: ");
    } else if (!probe_inquiry_counts(inquiry, result)) {
        fprintf(out, "%s: ", probe_grade_name(result));
    }
    if (result->found_count < result->asked_count) {
        fprintf(out, "%u of %u times: ", result->found_count, result->asked_count);
    }
    text_print(result->talk.came, out);
}

static void element_print(const struct probe_inquiry *inquiry,
                          const struct probe_inquiry_result *result, const char *element, FILE *out)
{
    fprintf(out, "      <%s type=\"%s\" message=\"", element, probe_grade_name(result));
    message_print(inquiry, result, out);
    fprintf(out, "\">");
    text_print(result->check->section, out);
    fprintf(out, ": ");
    text_print(result->check->rule, out);
    fprintf(out, "\nExpected: ");
    text_print(result->talk.expected, out);
    fprintf(out, "\nCame: ");
    text_print(result->talk.came, out);
    if (result->check->cure != NULL) {
        fprintf(out, "\nSeverity: %s\ncoturn: ", probe_grade_name(result));
        text_print(result->check->cure->coturn, out);
        fprintf(out, "\npion: ");
        text_print(result->check->cure->pion, out);
        fprintf(out, "\nfairlead: ");
        text_print(result->check->cure->fairlead, out);
    }
    fprintf(out, "</%s>\n", element);
}

// What is no fault is told as skipped, so that it is seen and does not fail.
static void result_print(const struct probe_inquiry *inquiry,
                         const struct probe_inquiry_result *result, FILE *out)
{
    const enum talk_verdict verdict = result->talk.verdict;

    fprintf(out, "    <testcase classname=\"%s.", inquiry->name);
    text_print(result->subject->name, out);
    fprintf(out, "\" name=\"%s\" time=\"%.3f\"%s\n", result->check->id,
            (double)result->took_ns / (double)SECOND_NS, verdict == TALK_PASS ? "/>" : ">");
    if (verdict != TALK_PASS) {
        element_print(inquiry, result,
                      probe_inquiry_counts(inquiry, result) ? "failure" : "skipped", out);
        fprintf(out, "    </testcase>\n");
    }
}

static void subject_print(const struct probe_inquiry *inquiry, const struct talk_subject *subject,
                          FILE *out)
{
    const struct totals totals = totals_of(inquiry, subject);
    char server[PROBE_ENDPOINT_TEXT_MAX];

    fprintf(out, "  <testsuite name=\"%s: ", inquiry->name);
    text_print(subject->name, out);
    fprintf(out,
            "\" tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\" time=\"%.3f\">\n"
            "    <properties>\n      <property name=\"server\" value=\"",
            totals.tests, totals.failures, totals.skipped,
            (double)totals.took_ns / (double)SECOND_NS);
    text_print(probe_endpoint_text(&inquiry->config->target.server, server), out);
    fprintf(out, "\"/>\n      <property name=\"version\" value=\"%s\"/>\n    </properties>\n",
            FAIRLEAD_VERSION);
    for (size_t i = 0; i < inquiry->count; i++) {
        if (inquiry->results[i].subject == subject) {
            result_print(inquiry, &inquiry->results[i], out);
        }
    }
    fprintf(out, "  </testsuite>\n");
}

void probe_junit_print(const struct probe_inquiry *inquiry, FILE *out)
{
    const struct talk_subject *last = NULL;
    const struct totals totals = totals_of(inquiry, NULL);

    fprintf(out,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"fairlead-probe %s\" "
            "tests=\"%u\" failures=\"%u\" errors=\"0\" time=\"%.3f\">\n",
            inquiry->name, totals.tests, totals.failures,
            (double)totals.took_ns / (double)SECOND_NS);
    for (size_t i = 0; i < inquiry->count; i++) {
        if (inquiry->results[i].subject != last) {
            last = inquiry->results[i].subject;
            subject_print(inquiry, last, out);
        }
    }
    fprintf(out, "</testsuites>\n");
}
