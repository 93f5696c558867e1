// SPDX-License-Identifier: Apache-2.0
// What `top` is told: how a daemon is at one moment, as lines of fields.
//
//      version TEXT
//      time_ms NUMBER                 monotonic
//      gauge NAME NUMBER              what there is now
//      total NAME NUMBER              what was done since the start
//      drop NAME NUMBER WORDS         what was dropped or refused since then, if it was at all
//      left_out NUMBER                rows that are not told
//      KIND NUMBER... TEXT...         a row: as many of both as the program says of this kind
//      end
//
// Lines that a reader does not know it passes over, so that later versions may tell more.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    DAEMON_SAMPLE_NAMED_MAX = 192, // gauges, totals and drops that a reader keeps
    DAEMON_SAMPLE_ROW_MAX = 65536,
    DAEMON_SAMPLE_NUMBERS_MAX = 16,
    DAEMON_SAMPLE_TEXTS_MAX = 4,
};

// A kind of rows: its word, and how many numbers and texts follow. Texts have no spaces, but for
// the last one.
struct daemon_sample_kind {
    const char *word;
    uint32_t number_count; // up to DAEMON_SAMPLE_NUMBERS_MAX
    uint32_t text_count;   // 1 to DAEMON_SAMPLE_TEXTS_MAX
};

// All kinds that a program tells of.
struct daemon_sample_kinds {
    const struct daemon_sample_kind *kinds;
    uint32_t count;
};

struct daemon_sample_row {
    uint32_t kind; // by its place in the kinds
    uint64_t numbers[DAEMON_SAMPLE_NUMBERS_MAX];
    struct bytes texts[DAEMON_SAMPLE_TEXTS_MAX];
};

enum daemon_sample_sort {
    DAEMON_SAMPLE_GAUGE,
    DAEMON_SAMPLE_TOTAL,
    DAEMON_SAMPLE_DROP,
};

struct daemon_sample_named {
    enum daemon_sample_sort sort;
    struct bytes name;
    uint64_t value;
    struct bytes words;
};

// Texts in it are borrowed from what was read.
struct daemon_sample {
    struct bytes version;
    uint64_t time_ms;
    struct daemon_sample_named named[DAEMON_SAMPLE_NAMED_MAX];
    size_t named_count;
    struct daemon_sample_row *rows; // memory of malloc()
    size_t row_count;
    uint64_t left_out;
};

// The first two lines.
void daemon_sample_head_write(struct wr *wr, uint64_t mono_ns);
// A gauge or a total.
void daemon_sample_named_write(struct wr *wr, enum daemon_sample_sort sort, const char *name,
                               uint64_t value);
void daemon_sample_drop_write(struct wr *wr, const char *name, uint64_t value, const char *words);
void daemon_sample_row_write(struct wr *wr, const struct daemon_sample_kind *kind,
                             const struct daemon_sample_row *row);

// False, with *out untouched: there is no "end", a line is broken, or there is no memory.
MUST_USE bool daemon_sample_read(struct bytes text, const struct daemon_sample_kinds *kinds,
                                 struct daemon_sample *out);
// Freeing twice, or what is all zero, does nothing.
void daemon_sample_free(struct daemon_sample *sample);

// The value of this name, or 0 if it is not told.
uint64_t daemon_sample_value(const struct daemon_sample *sample, struct bytes name);
