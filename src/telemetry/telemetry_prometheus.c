// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_prometheus.h"

#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "base/ascii.h"

#define BILLION UINT64_C(1000000000)

static void name_write(struct wr *wr, const char *name)
{
    for (; *name != '\0'; name++) {
        const uint8_t one = (uint8_t)*name;
        wr_u8(wr, ascii_is_alphanumeric(one) ? one : '_');
    }
}

static const char *ending_of(const struct metric_family *family)
{
    if (strcmp(family->unit, "s") == 0 || strcmp(family->unit, "ns") == 0) {
        return "_seconds";
    }
    return strcmp(family->unit, "By") == 0 ? "_bytes" : "";
}

static uint64_t steps_of(const struct metric_family *family)
{
    const uint64_t steps = family->steps == 0 ? 1 : family->steps;

    return strcmp(family->unit, "ns") == 0 ? steps * BILLION : steps;
}

void telemetry_prometheus_name_write(struct wr *wr, const struct metric_family *family)
{
    name_write(wr, family->name);
    if (family->kind == METRIC_FOREIGN) {
        return;
    }
    wr_text(wr, ending_of(family));
    if (family->kind == METRIC_COUNTER) {
        wr_text(wr, "_total");
    }
}

// A backslash, a line's end and, in the value of a label, a quotation mark are escaped.
static void escaped_write(struct wr *wr, const char *text, bool is_label)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n') {
            wr_text(wr, "\\n");
            continue;
        }
        if (*text == '\\' || (is_label && *text == '"')) {
            wr_u8(wr, '\\');
        }
        wr_u8(wr, (uint8_t)*text);
    }
}

// A number of steps in units: exact, as a decimal fraction. `steps` is a power of ten.
static void number_write(struct wr *wr, uint64_t value, uint64_t steps)
{
    uint64_t rest = value % steps;

    wr_decimal(wr, value / steps);
    if (rest == 0) {
        return;
    }
    wr_u8(wr, '.');
    for (; rest > 0; rest %= steps) {
        steps /= 10;
        assert(steps > 0);
        wr_u8(wr, (uint8_t)('0' + rest / steps));
    }
}

// What is behind the name of a sample: an ending, the labels, and one more of a bound.
static void sample_begin(struct wr *wr, const struct metric_family *family,
                         const struct metric_series *series, const char *ending)
{
    const char *separator = "{";

    telemetry_prometheus_name_write(wr, family);
    wr_text(wr, ending);
    for (size_t i = 0; i < METRIC_LABEL_MAX && series->labels[i].key != NULL; i++) {
        wr_text(wr, separator);
        name_write(wr, series->labels[i].key);
        wr_text(wr, "=\"");
        escaped_write(wr, series->labels[i].value, true);
        wr_u8(wr, '"');
        separator = ",";
    }
}

static void sample_end(struct wr *wr, const struct metric_series *series, uint64_t value,
                       uint64_t steps)
{
    wr_text(wr, series->labels[0].key != NULL ? "} " : " ");
    number_write(wr, value, steps);
    wr_u8(wr, '\n');
}

// `bound` is its index, and one behind the last for what has none.
static void bucket_write(struct wr *wr, const struct metric_family *family,
                         const struct metric_series *series, size_t bound, uint64_t below)
{
    sample_begin(wr, family, series, "_bucket");
    wr_text(wr, series->labels[0].key != NULL ? ",le=\"" : "{le=\"");
    if (bound < family->bounds->count) {
        number_write(wr, family->bounds->upper[bound], steps_of(family));
    } else {
        wr_text(wr, "+Inf");
    }
    wr_text(wr, "\"} ");
    wr_decimal(wr, below);
    wr_u8(wr, '\n');
}

static void histogram_write(struct wr *wr, const struct metric_family *family,
                            const struct metric_series *series, const uint64_t *histogram)
{
    uint64_t below = 0;

    for (size_t i = 0; i <= family->bounds->count; i++) {
        below += histogram[i];
        bucket_write(wr, family, series, i, below);
    }
    sample_begin(wr, family, series, "_sum");
    sample_end(wr, series, histogram_sum(histogram, family->bounds), steps_of(family));
    sample_begin(wr, family, series, "_count");
    sample_end(wr, series, below, 1);
}

const char *telemetry_prometheus_type(enum metric_kind kind)
{
    switch (kind) {
    case METRIC_COUNTER:
        return "counter";
    case METRIC_GAUGE:
        return "gauge";
    case METRIC_HISTOGRAM:
        return "histogram";
    case METRIC_FOREIGN:
        return "untyped";
    }
    assert(!"a kind of metric");
    return "";
}

static void head_write(struct wr *wr, const struct metric_family *family)
{
    wr_text(wr, "# HELP ");
    telemetry_prometheus_name_write(wr, family);
    wr_u8(wr, ' ');
    escaped_write(wr, family->help, false);
    wr_text(wr, "\n# TYPE ");
    telemetry_prometheus_name_write(wr, family);
    wr_u8(wr, ' ');
    wr_text(wr, telemetry_prometheus_type(family->kind));
    wr_u8(wr, '\n');
}

void telemetry_prometheus_write(struct wr *wr, const struct metric_family *families, size_t count,
                                const void *counters)
{
    for (size_t i = 0; i < count; i++) {
        const struct metric_family *family = &families[i];

        if (family->series_count > 0) {
            head_write(wr, family);
        }
        for (size_t k = 0; k < family->series_count; k++) {
            const struct metric_series *series = &family->series[k];
            const uint64_t *value = metric_series_value(series, counters);

            if (family->kind == METRIC_HISTOGRAM) {
                histogram_write(wr, family, series, value);
            } else {
                sample_begin(wr, family, series, "");
                sample_end(wr, series, *value, steps_of(family));
            }
        }
    }
}
