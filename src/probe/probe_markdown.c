// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_markdown.h"

#include "probe/probe_findings.h"

void probe_markdown_print(const struct probe_inquiry *inquiry, FILE *out)
{
    uint32_t counts[TALK_VERDICTS];

    fprintf(out, "| check | section | verdict | what came |\n|---|---|---|---|\n");
    for (size_t i = 0; i < inquiry->count; i++) {
        const struct probe_inquiry_result *result = &inquiry->results[i];
        fprintf(out, "| `%s` | %s | %s | ", result->check->id, result->check->section,
                talk_verdict_names[result->talk.verdict]);
        for (const char *at = result->talk.came; *at != '\0'; at++) {
            fprintf(out, *at == '|' ? "\\|" : "%c", *at);
        }
        fprintf(out, " |\n");
    }
    probe_findings_count(inquiry, NULL, counts);
    fprintf(out, "\n");
    for (int i = 0; i < TALK_VERDICTS; i++) {
        fprintf(out, "%s%u %s", i > 0 ? ", " : "", counts[i], talk_verdict_names[i]);
    }
    fprintf(out, "\n");
}
