// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_known.h"

#include <stdio.h>
#include <string.h>

#include "base/macro.h"
#include "base/utf8.h"

enum { PATH_MAX_BYTES = 4096 };

static const char *const verdicts[] = {"fail", "warn", "lacks", "skip"};
static const char *const severities[] = {"high", "medium", "low", "info", "skip"};

bool probe_known_means(const struct probe_known_entry *entry, const struct talk_check *check)
{
    struct bytes own = bytes_of_text(check->id);

    return bytes_equal(bytes_first(own, entry->id.len), entry->id) &&
           (own.len == entry->id.len || (entry->is_beginning && own.ptr[entry->id.len] == '-'));
}

// --- the file ------------------------------------------------------------------------------------

// Takes a word from the front of a line, and the blanks before it.
static struct bytes take_word(struct bytes *line)
{
    *line = bytes_trim(*line);
    size_t len = 0;
    while (len < line->len && line->ptr[len] != ' ' && line->ptr[len] != '\t') {
        len++;
    }
    struct bytes word = bytes_first(*line, len);
    *line = bytes_from(*line, len);
    return word;
}

static bool is_among(struct bytes word, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes_equal_text(word, words[i])) {
            return true;
        }
    }
    return false;
}

const char *probe_known_line(struct bytes line, struct probe_known_entry *out)
{
    size_t end = bytes_index(line, '#');
    struct bytes rest = bytes_first(line, end);
    struct probe_known_entry entry = {.id = take_word(&rest)};
    const char *wrong = NULL;

    if (end < line.len) {
        entry.reason = bytes_trim(bytes_from(line, end + 1));
    }
    if (!utf8_is_printable(entry.reason)) { // reports, which are XML and JSON, repeat it
        wrong = "has a reason that is no text in UTF-8";
    }
    for (struct bytes word; (word = take_word(&rest)).len > 0;) {
        if (bytes_equal_text(word, "sometimes") && !entry.is_sometimes) {
            entry.is_sometimes = true;
        } else if (entry.grade.len == 0 && !entry.is_sometimes &&
                   (is_among(word, verdicts, COUNT_OF(verdicts)) ||
                    is_among(word, severities, COUNT_OF(severities)))) {
            entry.grade = word;
        } else {
            wrong = "is no line of known findings: ID [GRADE] [sometimes] [# REASON]";
        }
    }
    *out = entry;
    return wrong;
}

static const struct talk_check *find_check(const struct probe_known_entry *entry,
                                           const struct talk_subject *const *subjects,
                                           size_t subject_count)
{
    for (size_t i = 0; i < subject_count; i++) {
        for (size_t j = 0; j < subjects[i]->count; j++) {
            if (probe_known_means(entry, &subjects[i]->checks[j])) {
                return &subjects[i]->checks[j];
            }
        }
    }
    return NULL;
}

static const char *what_is_wrong(const struct probe_known *known,
                                 const struct probe_known_entry *entry,
                                 const struct talk_check *check)
{
    if (check == NULL) {
        return "is no check's id";
    }
    const bool is_weighed = check->severity != TALK_UNWEIGHED;
    if (entry->grade.len > 0 &&
        !(is_weighed ? is_among(entry->grade, severities, COUNT_OF(severities))
                     : is_among(entry->grade, verdicts, COUNT_OF(verdicts)))) {
        return is_weighed ? "has a grade that no attack has: high, medium, low, info, skip"
                          : "has a grade that this check cannot have: fail, warn, lacks, skip";
    }
    for (size_t i = 0; i < known->count; i++) {
        if (known->entries[i].line > 0 && bytes_equal(known->entries[i].id, entry->id)) {
            return "stands twice in the file";
        }
    }
    return known->count == PROBE_KNOWN_MAX ? "is one too many" : NULL;
}

static void add_error(struct conf *conf, const struct conf_value *value, struct bytes line,
                      size_t number, const char *wrong)
{
    struct conf_value at = *value;

    at.place.source = CONF_FILE;
    at.place.number = number;
    at.text = line;
    conf_error_value(&conf->errors, &at, wrong);
}

static void read_text(struct conf *conf, const struct conf_value *value, struct bytes text,
                      const struct talk_subject *const *subjects, size_t subject_count,
                      struct probe_known *out)
{
    for (uint32_t number = 1; text.len > 0; number++) {
        size_t end = bytes_index(text, '\n');
        struct bytes line = bytes_trim(bytes_first(text, end));
        struct probe_known_entry entry;
        const char *wrong = probe_known_line(line, &entry);
        text = bytes_from(text, end < text.len ? end + 1 : end);
        if (entry.id.len == 0 && wrong == NULL) {
            continue;
        }
        entry.line = number;
        if (wrong == NULL) {
            wrong = what_is_wrong(out, &entry, find_check(&entry, subjects, subject_count));
        }
        if (wrong != NULL) {
            add_error(conf, value, line, number, wrong);
        } else {
            out->entries[out->count++] = entry;
        }
    }
}

static void read_file(struct conf *conf, const struct talk_subject *const *subjects,
                      size_t subject_count, struct probe_known *out)
{
    static uint8_t text[PROBE_KNOWN_FILE_MAX + 1]; // one more, so that too much is seen
    static char path[PATH_MAX_BYTES];
    const struct conf_value *value = conf_find(conf, "known-file");

    if (!conf_value_text(&conf->errors, value, 1, sizeof path - 1, &out->path)) {
        return;
    }
    memcpy(path, out->path.ptr, out->path.len);
    path[out->path.len] = '\0';
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        conf_error_value(&conf->errors, value, "is no file that can be read");
        return;
    }
    size_t len = fread(text, 1, sizeof text, file);
    if (ferror(file) != 0 || len > PROBE_KNOWN_FILE_MAX) {
        conf_error_value(&conf->errors, value, "is no file of at most 128 KiB that can be read");
    } else {
        conf->errors.file_name = path;
        read_text(conf, value, (struct bytes){text, len}, subjects, subject_count, out);
    }
    fclose(file);
}

void probe_known_read(struct conf *conf, const struct talk_subject *const *subjects,
                      size_t subject_count, struct probe_known *out)
{
    const struct conf_value *value = NULL;

    while ((value = conf_next(conf, "known", value)) != NULL) {
        const struct probe_known_entry entry = {.id = value->text, .is_beginning = true};
        if (find_check(&entry, subjects, subject_count) == NULL) {
            conf_error_value(&conf->errors, value, "is no check's id, nor the beginning of one");
        } else if (out->count == PROBE_KNOWN_MAX) {
            conf_error_value(&conf->errors, value, "is one too many");
        } else {
            out->entries[out->count++] = entry;
        }
    }
    read_file(conf, subjects, subject_count, out);
}
