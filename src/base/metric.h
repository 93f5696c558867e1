// SPDX-License-Identifier: Apache-2.0
// How a room describes its counters, so that others can name and print them without knowing it.
//
// Counters are plain uint64_t fields of one struct per room; a table of struct metric tells the
// name, the unit and the place of each.
//
// A program that exports them joins the counters of all its rooms in one struct, and a table of
// struct metric_family says what each number of it is: which name, which labels. So whatever the
// form of the export is, it reads the same table.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/histogram.h"
#include "base/macro.h"
#include "base/now.h"

struct metric {
    const char *name; // snake_case, without prefix and without "_total"
    const char *unit; // what one step of the counter is: "packets", "bytes", "requests"
    const char *help; // one sentence
    size_t offset;    // of the uint64_t in its struct
};

// A room writes its counters down once, as a list X(name, unit, help). METRIC_FIELD makes the
// fields of the struct of it, METRIC_ROW the rows of the table.
#define METRIC_FIELD(name, unit, help) uint64_t name;
#define METRIC_ROW(type, name, unit, help) {#name, unit, help, offsetof(type, name)},

static inline uint64_t metric_value(const struct metric *metric, const void *counters)
{
    const void *place = (const uint8_t *)counters + metric->offset;
    return *(const uint64_t *)place;
}

enum metric_kind {
    METRIC_COUNTER,
    METRIC_GAUGE,
    METRIC_HISTOGRAM,
    METRIC_FOREIGN, // a counter or gauge under another program's name, which bears no ending of
                    // ours
};

// What the value of a label is; text in all of them.
enum metric_label_kind {
    METRIC_LABEL_TEXT,
    METRIC_LABEL_NUMBER, // decimal
    METRIC_LABEL_TRUTH,  // "true" or "false"
};

struct metric_label {
    const char *key; // dotted, as OpenTelemetry has it; NULL: there is no label
    const char *value;
    enum metric_label_kind kind;
};

enum { METRIC_LABEL_MAX = 3 };

// One number, or one histogram, among those of a name.
struct metric_series {
    size_t offset; // of the uint64_t, or of the histogram's first one, in the struct of all
    struct metric_label labels[METRIC_LABEL_MAX]; // those that are there come first
};

// All series of one name.
struct metric_family {
    const char *name; // dotted, as OpenTelemetry has it; of METRIC_FOREIGN as it is
    const char *unit; // in UCUM: "s", "By", or what is counted in braces: "{packet}"
    const char *help; // one sentence
    enum metric_kind kind;
    uint64_t steps;                        // of the number for one of the unit; 0: 1
    const struct histogram_bounds *bounds; // in steps; of METRIC_HISTOGRAM alone
    const struct metric_series *series;
    size_t series_count;
};

// The lines of a table of them. METRIC_<kind> of numbers; `list` is an array of struct
// metric_series.
#define METRIC_FAMILY(kind, name, unit, help, list)                                                \
    {                                                                                              \
        name, unit, help, METRIC_##kind, 1, NULL, list, COUNT_OF(list)                             \
    }
// A counter of nanoseconds that is told in seconds.
#define METRIC_FAMILY_SECONDS(name, help, list)                                                    \
    {                                                                                              \
        name, "s", help, METRIC_COUNTER, SECOND_NS, NULL, list, COUNT_OF(list)                     \
    }
// `steps` are those of one unit.
#define METRIC_FAMILY_HISTOGRAM(name, unit, steps, bounds, help, list)                             \
    {                                                                                              \
        name, unit, help, METRIC_HISTOGRAM, steps, bounds, list, COUNT_OF(list)                    \
    }

static inline const uint64_t *metric_series_value(const struct metric_series *series,
                                                  const void *counters)
{
    const void *place = (const uint8_t *)counters + series->offset;
    return place;
}
