// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_json.h"

#include "probe/probe_baseline.h"
#include "probe/probe_findings.h"
#include "probe/probe_grade.h"

// All texts are ASCII: what servers say is written so by talk_words.
static void text_print(const char *name, const char *text, FILE *out)
{
    fprintf(out, "\"%s\":\"", name);
    for (const char *at = text; *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        if (byte == '"' || byte == '\\') {
            fprintf(out, "\\%c", byte);
        } else if (byte < ' ' || byte > '~') {
            fprintf(out, "\\u%04x", byte);
        } else {
            fputc(byte, out);
        }
    }
    fputc('"', out);
}

static void entry_print(const struct talk_log_entry *entry, FILE *out)
{
    char words[PROBE_FINDINGS_WORDS_MAX];
    struct bytes bytes = talk_log_bytes(entry);

    fprintf(out, "{\"at_us\":%llu,\"is_sent\":%s,\"%s\":%u,\"len\":%u,",
            (unsigned long long)(entry->at_ns / 1000), entry->is_sent ? "true" : "false",
            entry->is_peer ? "peer" : "client", entry->index, entry->len);
    if (!entry->is_peer) {
        text_print("words", probe_findings_words(entry, words), out);
        fputc(',', out);
    }
    fprintf(out, "\"hex\":\"");
    for (size_t i = 0; i < bytes.len; i++) {
        fprintf(out, "%02x", bytes.ptr[i]);
    }
    fprintf(out, "\"}");
}

static void cure_print(const struct talk_cure *cure, FILE *out)
{
    fprintf(out, ",\"cures\":{");
    text_print("coturn", cure->coturn, out);
    fputc(',', out);
    text_print("pion", cure->pion, out);
    fputc(',', out);
    text_print("fairlead", cure->fairlead, out);
    fputc('}', out);
}

// A text of the user's own file, which may be UTF-8 and is told as it is.
static void span_print(const char *name, struct bytes text, FILE *out)
{
    fprintf(out, "\"%s\":\"", name);
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\') {
            fputc('\\', out);
        }
        fputc(text.ptr[i] < ' ' ? ' ' : text.ptr[i], out);
    }
    fputc('"', out);
}

static void standing_print(const struct probe_inquiry *inquiry,
                           const struct probe_inquiry_result *result, FILE *out)
{
    const struct probe_known_entry *known = probe_baseline_find(inquiry, result);

    fprintf(out, ",\"counts\":%s,\"is_known\":%s,",
            probe_inquiry_counts(inquiry, result) ? "true" : "false",
            known != NULL ? "true" : "false");
    if (known != NULL && known->reason.len > 0) {
        span_print("known_reason", known->reason, out);
        fputc(',', out);
    }
    fprintf(out, "\"asked\":%u,\"found\":%u", result->asked_count, result->found_count);
}

static void result_print(const struct probe_inquiry *inquiry,
                         const struct probe_inquiry_result *result, FILE *out)
{
    static const char *const levels[] = {"must", "should", "may"};
    const struct talk *talk = &result->talk;

    fputc('{', out);
    text_print("id", result->check->id, out);
    fputc(',', out);
    text_print("subject", result->subject->name, out);
    fputc(',', out);
    text_print("section", result->check->section, out);
    if (result->check->cure != NULL) {
        cure_print(result->check->cure, out);
    }
    fprintf(out, ",\"level\":\"%s\",\"verdict\":\"%s\"", levels[result->check->level],
            probe_grade_name(result));
    standing_print(inquiry, result, out);
    fprintf(out, ",\"took_ms\":%llu,", (unsigned long long)(result->took_ns / 1000000));
    text_print("rule", result->check->rule, out);
    fputc(',', out);
    text_print("words", result->check->words, out);
    fputc(',', out);
    text_print("expected", talk->expected, out);
    fputc(',', out);
    text_print("came", talk->came, out);
    fprintf(out, ",\"datagrams\":[");
    for (uint32_t i = 0; i < talk_log_kept(&talk->log); i++) {
        fprintf(out, i > 0 ? "," : "");
        entry_print(&talk->log.entries[i], out);
    }
    fprintf(out, "]}");
}

static void server_print(const struct probe_endpoint *server, FILE *out)
{
    char text[PROBE_ENDPOINT_TEXT_MAX];
    const struct probe_endpoint nameless = {.addr = server->addr};

    text_print("server", probe_endpoint_text(&nameless, text), out);
    if (server->name.len > 0) {
        fputc(',', out);
        span_print("host", server->name, out);
    }
}

static void gone_print(const struct probe_inquiry *inquiry, FILE *out)
{
    const struct probe_known *known = &inquiry->config->known;
    const char *before = "";

    fprintf(out, ",\"gone\":[");
    for (size_t i = 0; i < known->count; i++) {
        const struct probe_known_entry *entry = &known->entries[i];
        if (probe_baseline_is_gone(inquiry, entry)) {
            fprintf(out, "%s\"%.*s\"", before, (int)entry->id.len, (const char *)entry->id.ptr);
            before = ",";
        }
    }
    fputc(']', out);
}

void probe_json_print(const struct probe_inquiry *inquiry, FILE *out)
{
    const struct probe_grade_scale *scale = probe_grade_scale_of(inquiry);
    uint32_t counts[PROBE_GRADE_MAX];

    fprintf(out, "{\"command\":\"%s\",", inquiry->name);
    server_print(&inquiry->config->target.server, out);
    fprintf(out, ",\"version\":\"%s\",\"counts\":{", FAIRLEAD_VERSION);
    probe_grade_count(inquiry, NULL, counts);
    for (size_t i = 0; i < scale->count; i++) {
        fprintf(out, "%s\"%s\":%u", i > 0 ? "," : "", scale->names[i], counts[i]);
    }
    fputc('}', out);
    gone_print(inquiry, out);
    fprintf(out, ",\"results\":[");
    for (size_t i = 0; i < inquiry->count; i++) {
        fprintf(out, i > 0 ? ",\n" : "\n");
        result_print(inquiry, &inquiry->results[i], out);
    }
    fprintf(out, "]}\n");
}
