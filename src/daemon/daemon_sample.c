// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_sample.h"

#include <assert.h>
#include <stdlib.h>

#include "base/macro.h"
#include "base/now.h"

#define MILLISECOND_NS (SECOND_NS / 1000)

static const char *const sorts[] = {
    [DAEMON_SAMPLE_GAUGE] = "gauge",
    [DAEMON_SAMPLE_TOTAL] = "total",
    [DAEMON_SAMPLE_DROP] = "drop",
};

void daemon_sample_head_write(struct wr *wr, uint64_t mono_ns)
{
    wr_text(wr, "version " FAIRLEAD_VERSION "\ntime_ms ");
    wr_decimal(wr, mono_ns / MILLISECOND_NS);
    wr_text(wr, "\n");
}

static void named_write(struct wr *wr, enum daemon_sample_sort sort, const char *name,
                        uint64_t value)
{
    wr_text(wr, sorts[sort]);
    wr_text(wr, " ");
    wr_text(wr, name);
    wr_text(wr, " ");
    wr_decimal(wr, value);
}

void daemon_sample_named_write(struct wr *wr, enum daemon_sample_sort sort, const char *name,
                               uint64_t value)
{
    assert(sort != DAEMON_SAMPLE_DROP);
    named_write(wr, sort, name, value);
    wr_text(wr, "\n");
}

void daemon_sample_drop_write(struct wr *wr, const char *name, uint64_t value, const char *words)
{
    named_write(wr, DAEMON_SAMPLE_DROP, name, value);
    wr_text(wr, " ");
    wr_text(wr, words);
    wr_text(wr, "\n");
}

void daemon_sample_row_write(struct wr *wr, const struct daemon_sample_kind *kind,
                             const struct daemon_sample_row *row)
{
    wr_text(wr, kind->word);
    for (uint32_t i = 0; i < kind->number_count; i++) {
        wr_text(wr, " ");
        wr_decimal(wr, row->numbers[i]);
    }
    for (uint32_t i = 0; i < kind->text_count; i++) {
        wr_text(wr, " ");
        wr_bytes(wr, row->texts[i]);
    }
    wr_text(wr, "\n");
}

// What is left of a line.
struct fields {
    struct bytes text;
    bool is_over; // no space is left, so not even an empty field
};

static struct bytes take_word(struct fields *fields)
{
    const size_t len = bytes_index(fields->text, ' ');
    const struct bytes word = bytes_first(fields->text, len);

    fields->is_over = len == fields->text.len;
    fields->text = bytes_from(fields->text, len + 1);
    return word;
}

static bool take_number(struct fields *fields, uint64_t *out)
{
    return bytes_to_number(take_word(fields), UINT64_MAX, out);
}

static bool read_row(struct fields *line, const struct daemon_sample_kinds *kinds, uint32_t kind,
                     struct daemon_sample *sample)
{
    const struct daemon_sample_kind *shape = &kinds->kinds[kind];
    struct daemon_sample_row *row = &sample->rows[sample->row_count++];

    row->kind = kind;
    for (uint32_t i = 0; i < shape->number_count; i++) {
        if (!take_number(line, &row->numbers[i])) {
            return false;
        }
    }
    for (uint32_t i = 0; i + 1 < shape->text_count; i++) {
        row->texts[i] = take_word(line);
    }
    row->texts[shape->text_count - 1] = line->text;
    return !line->is_over;
}

static bool read_named(struct fields *line, enum daemon_sample_sort sort,
                       struct daemon_sample *sample)
{
    struct daemon_sample_named named = {.sort = sort, .name = take_word(line)};

    if (!take_number(line, &named.value) || sample->named_count == COUNT_OF(sample->named)) {
        return false;
    }
    named.words = line->text;
    sample->named[sample->named_count++] = named;
    return true;
}

static bool read_line(struct bytes text, const struct daemon_sample_kinds *kinds,
                      struct daemon_sample *sample)
{
    struct fields line = {.text = text};
    const struct bytes word = take_word(&line);

    for (uint32_t i = 0; i < kinds->count; i++) {
        if (bytes_equal_text(word, kinds->kinds[i].word)) {
            return read_row(&line, kinds, i, sample);
        }
    }
    for (size_t i = 0; i < COUNT_OF(sorts); i++) {
        if (bytes_equal_text(word, sorts[i])) {
            return read_named(&line, (enum daemon_sample_sort)i, sample);
        }
    }
    if (bytes_equal_text(word, "time_ms")) {
        return take_number(&line, &sample->time_ms);
    }
    if (bytes_equal_text(word, "left_out")) {
        return take_number(&line, &sample->left_out);
    }
    if (bytes_equal_text(word, "version")) {
        sample->version = line.text;
    }
    return true;
}

static size_t count_lines(struct bytes text)
{
    size_t count = 0;

    for (size_t i = 0; i < text.len; i++) {
        count += text.ptr[i] == '\n';
    }
    return count;
}

bool daemon_sample_read(struct bytes text, const struct daemon_sample_kinds *kinds,
                        struct daemon_sample *out)
{
    struct daemon_sample sample = {.row_count = 0};
    const size_t line_count = count_lines(text);
    bool is_good = line_count <= DAEMON_SAMPLE_ROW_MAX + DAEMON_SAMPLE_NAMED_MAX;
    bool has_end = false;

    if (is_good) {
        sample.rows = calloc(line_count + 1, sizeof *sample.rows);
        is_good = sample.rows != NULL;
    }
    for (size_t i = 0; i < line_count && is_good; i++) {
        const struct bytes line = bytes_first(text, bytes_index(text, '\n'));

        text = bytes_from(text, line.len + 1);
        has_end = bytes_equal_text(line, "end");
        is_good = read_line(line, kinds, &sample);
    }
    if (!is_good || !has_end) {
        daemon_sample_free(&sample);
        return false;
    }
    *out = sample;
    return true;
}

void daemon_sample_free(struct daemon_sample *sample)
{
    free(sample->rows);
    sample->rows = NULL;
}

uint64_t daemon_sample_value(const struct daemon_sample *sample, struct bytes name)
{
    for (size_t i = 0; i < sample->named_count; i++) {
        if (bytes_equal(sample->named[i].name, name)) {
            return sample->named[i].value;
        }
    }
    return 0;
}
