// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_junit.h"

#include "probe/probe_grade.h"

static void text_print(const char *text, FILE *out)
{
    for (const char *at = text; *at != '\0'; at++) {
        switch (*at) {
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
            fputc(*at, out);
        }
    }
}

static void element_print(const struct probe_inquiry_result *result, const char *element, FILE *out)
{
    fprintf(out, "      <%s message=\"", element);
    text_print(result->talk.came, out);
    fprintf(out, "\">");
    text_print(result->check->section, out);
    fprintf(out, ": ");
    text_print(result->check->rule, out);
    fprintf(out, " Expected: ");
    text_print(result->talk.expected, out);
    if (result->check->cure != NULL) {
        fprintf(out, " Severity: %s. coturn: ", probe_grade_name(result));
        text_print(result->check->cure->coturn, out);
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
        element_print(result, probe_inquiry_counts(inquiry, result) ? "failure" : "skipped", out);
        fprintf(out, "    </testcase>\n");
    }
}

static void subject_print(const struct probe_inquiry *inquiry, const struct talk_subject *subject,
                          FILE *out)
{
    uint32_t tests = 0;
    uint32_t failures = 0;
    uint32_t skipped = 0;

    for (size_t i = 0; i < inquiry->count; i++) {
        const struct probe_inquiry_result *result = &inquiry->results[i];
        if (result->subject == subject) {
            bool is_failure = probe_inquiry_counts(inquiry, result);
            tests++;
            failures += is_failure;
            skipped += !is_failure && result->talk.verdict != TALK_PASS;
        }
    }
    fprintf(out, "  <testsuite name=\"");
    text_print(subject->name, out);
    fprintf(out, "\" tests=\"%u\" failures=\"%u\" errors=\"0\" skipped=\"%u\">\n", tests, failures,
            skipped);
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

    fprintf(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (size_t i = 0; i < inquiry->count; i++) {
        if (inquiry->results[i].subject != last) {
            last = inquiry->results[i].subject;
            subject_print(inquiry, last, out);
        }
    }
    fprintf(out, "</testsuites>\n");
}
