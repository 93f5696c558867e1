// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_sample.h"

#include <stdlib.h>

void tunnel_sample_gauge_write(struct wr *wr, const char *name, uint64_t value)
{
    wr_text(wr, "gauge ");
    wr_text(wr, name);
    wr_text(wr, " ");
    wr_decimal(wr, value);
    wr_text(wr, "\n");
}

void tunnel_sample_row_write(struct wr *wr, const struct tunnel_sample_row *row)
{
    wr_text(wr, "server");
    for (size_t i = 0; i < TUNNEL_SAMPLE_NUMBERS; i++) {
        wr_text(wr, " ");
        wr_decimal(wr, row->numbers[i]);
    }
    wr_text(wr, " ");
    wr_bytes(wr, row->server);
    wr_text(wr, "\n");
}

static struct bytes take_word(struct bytes *text)
{
    const size_t len = bytes_index(*text, ' ');
    const struct bytes word = bytes_first(*text, len);

    *text = bytes_from(*text, len + 1);
    return word;
}

static bool take_number(struct bytes *text, uint64_t *out)
{
    return bytes_to_number(take_word(text), UINT64_MAX, out);
}

static bool read_row(struct bytes line, struct tunnel_sample *sample)
{
    struct tunnel_sample_row *row = &sample->rows[sample->row_count++];

    for (size_t i = 0; i < TUNNEL_SAMPLE_NUMBERS; i++) {
        if (!take_number(&line, &row->numbers[i])) {
            return false;
        }
    }
    row->server = line;
    return line.len > 0;
}

static bool read_gauge(struct bytes line, struct tunnel_sample *sample)
{
    struct tunnel_sample_gauge gauge = {.name = take_word(&line)};

    if (!take_number(&line, &gauge.value) || sample->gauge_count == TUNNEL_SAMPLE_GAUGE_MAX) {
        return false;
    }
    sample->gauges[sample->gauge_count++] = gauge;
    return true;
}

static bool read_line(struct bytes line, struct tunnel_sample *sample)
{
    const struct bytes kind = take_word(&line);

    if (bytes_equal_text(kind, "server")) {
        return read_row(line, sample);
    }
    if (bytes_equal_text(kind, "gauge")) {
        return read_gauge(line, sample);
    }
    if (bytes_equal_text(kind, "time_ms")) {
        return take_number(&line, &sample->time_ms);
    }
    if (bytes_equal_text(kind, "version")) {
        sample->version = line;
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

bool tunnel_sample_read(struct bytes text, struct tunnel_sample *out)
{
    struct tunnel_sample sample = {.row_count = 0};
    const size_t line_count = count_lines(text);
    bool is_good = line_count <= TUNNEL_SAMPLE_ROW_MAX + 2 * TUNNEL_SAMPLE_GAUGE_MAX;
    bool has_end = false;

    if (is_good) {
        sample.rows = calloc(line_count + 1, sizeof *sample.rows);
        is_good = sample.rows != NULL;
    }
    for (size_t i = 0; i < line_count && is_good; i++) {
        const struct bytes line = bytes_first(text, bytes_index(text, '\n'));

        text = bytes_from(text, line.len + 1);
        has_end = bytes_equal_text(line, "end");
        is_good = read_line(line, &sample);
    }
    if (!is_good || !has_end) {
        tunnel_sample_free(&sample);
        return false;
    }
    *out = sample;
    return true;
}

void tunnel_sample_free(struct tunnel_sample *sample)
{
    free(sample->rows);
    sample->rows = NULL;
}

uint64_t tunnel_sample_gauge(const struct tunnel_sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->gauge_count; i++) {
        if (bytes_equal_text(sample->gauges[i].name, name)) {
            return sample->gauges[i].value;
        }
    }
    return 0;
}
