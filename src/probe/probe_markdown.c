// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_markdown.h"

#include "probe/probe_baseline.h"
#include "probe/probe_grade.h"

void probe_markdown_print(const struct probe_inquiry *inquiry, FILE *out)
{
    const struct probe_grade_scale *scale = probe_grade_scale_of(inquiry);
    uint32_t counts[PROBE_GRADE_MAX];

    fprintf(out, "| check | section | verdict | what came |\n|---|---|---|---|\n");
    for (size_t i = 0; i < inquiry->count; i++) {
        const struct probe_inquiry_result *result = &inquiry->results[i];
        fprintf(out, "| `%s` | %s | %s | ", result->check->id, result->check->section,
                probe_grade_name(result));
        if (probe_baseline_find(inquiry, result) != NULL) {
            fprintf(out, "known: ");
        }
        for (const char *at = result->talk.came; *at != '\0'; at++) {
            fprintf(out, *at == '|' ? "\\|" : "%c", *at);
        }
        fprintf(out, " |\n");
    }
    probe_grade_count(inquiry, NULL, counts);
    fprintf(out, "\n");
    for (size_t i = 0; i < scale->count; i++) {
        fprintf(out, "%s%u %s", i > 0 ? ", " : "", counts[i], scale->names[i]);
    }
    fprintf(out, "\n\n");
    probe_baseline_sum(inquiry, out);
}
