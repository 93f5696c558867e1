// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_baseline.h"

#include "probe/probe_grade.h"

// Whether what is known of the check is what came: of grades the first are the better ones, but
// for `pass` before them and `skip` behind.
static bool covers(const struct probe_known_entry *entry, const struct probe_grade_scale *scale,
                   size_t grade)
{
    const size_t skip = scale->count - 1;
    size_t known = 1;

    if (entry->grade.len == 0) {
        return grade != skip;
    }
    while (known < skip && !bytes_equal_text(entry->grade, scale->names[known])) {
        known++;
    }
    return known == skip || grade == skip ? known == grade : grade >= known;
}

const struct probe_known_entry *probe_baseline_find(const struct probe_inquiry *inquiry,
                                                    const struct probe_inquiry_result *result)
{
    const struct probe_known *known = &inquiry->config->known;
    const size_t grade = probe_grade_of(result);

    for (size_t i = 0; i < known->count && grade != 0; i++) {
        if (probe_known_means(&known->entries[i], result->check) &&
            covers(&known->entries[i], probe_grade_scale_of(inquiry), grade)) {
            return &known->entries[i];
        }
    }
    return NULL;
}

bool probe_baseline_is_gone(const struct probe_inquiry *inquiry,
                            const struct probe_known_entry *entry)
{
    bool has_passed = false;

    for (size_t i = 0; i < inquiry->count; i++) {
        const struct probe_inquiry_result *result = &inquiry->results[i];
        if (!probe_known_means(entry, result->check)) {
            continue;
        }
        if (result->talk.verdict != TALK_PASS) {
            return false;
        }
        has_passed = true;
    }
    return has_passed && !entry->is_sometimes;
}

struct probe_baseline_counts probe_baseline_count(const struct probe_inquiry *inquiry)
{
    const struct probe_known *known = &inquiry->config->known;
    struct probe_baseline_counts counts = {0};

    for (size_t i = 0; i < inquiry->count; i++) {
        const struct probe_inquiry_result *result = &inquiry->results[i];
        const bool is_known = probe_baseline_find(inquiry, result) != NULL;
        if (result->talk.verdict == TALK_SKIP) {
            counts.known_skips += is_known;
            counts.new_skips += !is_known;
        } else {
            counts.known_findings += is_known;
            counts.new_findings += probe_inquiry_counts(inquiry, result);
        }
    }
    for (size_t i = 0; i < known->count; i++) {
        counts.gone += probe_baseline_is_gone(inquiry, &known->entries[i]);
    }
    return counts;
}

static void gone_print(const struct probe_inquiry *inquiry, FILE *out)
{
    const struct probe_known *known = &inquiry->config->known;

    for (size_t i = 0; i < known->count; i++) {
        const struct probe_known_entry *entry = &known->entries[i];
        if (!probe_baseline_is_gone(inquiry, entry)) {
            continue;
        }
        fprintf(out, "gone: %.*s is known, but is not found any more: take it out of ",
                (int)entry->id.len, (const char *)entry->id.ptr);
        if (entry->line > 0) {
            fprintf(out, "%.*s, line %u\n", (int)known->path.len, (const char *)known->path.ptr,
                    entry->line);
        } else {
            fprintf(out, "--known\n");
        }
    }
}

static void names_print(const struct probe_inquiry *inquiry, FILE *out)
{
    const char *before = " (";

    for (size_t i = 0; i < inquiry->count; i++) {
        if (probe_inquiry_counts(inquiry, &inquiry->results[i])) {
            fprintf(out, "%s%s", before, inquiry->results[i].check->id);
            before = ", ";
        }
    }
    fputs(before[0] == ',' ? ")" : "", out);
}

void probe_baseline_sum(const struct probe_inquiry *inquiry, FILE *out)
{
    const struct probe_baseline_counts counts = probe_baseline_count(inquiry);

    fprintf(out, "findings that count: %u", counts.new_findings);
    names_print(inquiry, out);
    fprintf(out, "; known: %u\nnot tried: %u, of them known: %u\n", counts.known_findings,
            counts.new_skips + counts.known_skips, counts.known_skips);
    gone_print(inquiry, out);
}

// --- the file ------------------------------------------------------------------------------------

// The reason that stands there, or one that a person may replace.
static void reason_write(const struct probe_known_entry *entry, const struct talk *talk, FILE *out)
{
    if (entry != NULL && entry->reason.len > 0) {
        fprintf(out, "# %.*s\n", (int)entry->reason.len, (const char *)entry->reason.ptr);
    } else if (talk == NULL) {
        fprintf(out, "\n");
    } else if (talk->verdict == TALK_SKIP) {
        fprintf(out, "# %.100s\n", talk->came);
    } else {
        fprintf(out, "# expected %.100s\n", talk->expected);
    }
}

static void entry_write(const struct probe_known_entry *entry, FILE *out)
{
    fprintf(out, "%-36.*s %-6.*s %s", (int)entry->id.len, (const char *)entry->id.ptr,
            (int)entry->grade.len, (const char *)entry->grade.ptr,
            entry->is_sometimes ? "sometimes " : "");
    reason_write(entry, NULL, out);
}

static bool is_asked(const struct probe_inquiry *inquiry, const struct probe_known_entry *entry)
{
    for (size_t i = 0; i < inquiry->count; i++) {
        if (probe_known_means(entry, inquiry->results[i].check)) {
            return true;
        }
    }
    return false;
}

// The line about a check, whatever became of it now.
static const struct probe_known_entry *line_of(const struct probe_inquiry *inquiry,
                                               const struct talk_check *check)
{
    const struct probe_known *known = &inquiry->config->known;

    for (size_t i = 0; i < known->count; i++) {
        if (known->entries[i].line > 0 && probe_known_means(&known->entries[i], check)) {
            return &known->entries[i];
        }
    }
    return NULL;
}

static void result_write(const struct probe_inquiry *inquiry,
                         const struct probe_inquiry_result *result, FILE *out)
{
    const struct probe_known_entry *line = line_of(inquiry, result->check);
    const bool is_sometimes =
        (line != NULL && line->is_sometimes) || result->found_count < result->asked_count;

    if (result->talk.verdict == TALK_PASS) {
        if (line != NULL && line->is_sometimes) {
            entry_write(line, out);
        }
        return;
    }
    fprintf(out, "%-36s %-6s %s", result->check->id, probe_grade_name(result),
            result->talk.verdict != TALK_SKIP && is_sometimes ? "sometimes " : "");
    reason_write(line, &result->talk, out);
}

void probe_baseline_write(const struct probe_inquiry *inquiry, FILE *out)
{
    const struct probe_known *known = &inquiry->config->known;

    fprintf(out,
            "# What fairlead-probe %s is known to find, for --known-file.\n"
            "# ID [GRADE] [sometimes] [# REASON]\n",
            inquiry->name);
    for (size_t i = 0; i < inquiry->count; i++) {
        result_write(inquiry, &inquiry->results[i], out);
    }
    for (size_t i = 0; i < known->count; i++) {
        if (known->entries[i].line > 0 && !is_asked(inquiry, &known->entries[i])) {
            entry_write(&known->entries[i], out);
        }
    }
}
