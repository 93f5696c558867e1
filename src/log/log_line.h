// SPDX-License-Identifier: Apache-2.0
// The bytes of one log line, in one of three forms, from a level, a message and typed fields.
//
// Human:  2026-01-31T12:00:00.042Z  INFO allocation created client=192.0.2.1:5000 lifetime_s=600
// JSON:   {"time":"2026-01-31T12:00:00.042Z","level":"info","message":"allocation created",
//          "target":"relay_report","client":"192.0.2.1:5000","lifetime_s":600}  (on one line)
// Google: {"severity":"INFO","time":"2026-01-31T12:00:00.042Z","message":"allocation created",
//          "logging.googleapis.com/labels":{"target":"relay_report"},
//          "client":"192.0.2.1:5000","lifetime_s":600}          (on one line)
//
// The last is what Google Cloud's agents read from standard output as a structured entry; they
// have no level below DEBUG.
//
// Nothing that a stranger sent can break a line, forge a field or steer a terminal: control
// characters become \n, \t or \u001b, invalid UTF-8 becomes U+FFFD. In human lines a value that is
// empty, or has a space, a quote, a backslash, "=" or anything but ASCII, stands in quotes.
//
// No line is longer than LOG_LINE_MAX. A text that would not fit into LOG_LINE_TEXT_MAX ends in
// U+2026, fields that do not fit are left out, and in both cases truncated=true ends the line.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/bytes.h"
#include "log/log_level.h"

enum {
    LOG_LINE_MAX = 4096,      // bytes with the newline: PIPE_BUF, so that a pipe takes it whole
    LOG_LINE_TEXT_MAX = 1024, // bytes of one text or message as written, with its quotes
};

enum log_line_format {
    LOG_LINE_HUMAN,
    LOG_LINE_JSON,
    LOG_LINE_GOOGLE_CLOUD,
};

// The word of each format, by which an operator chooses it: "human", "json", "google-cloud".
enum { LOG_LINE_FORMAT_COUNT = LOG_LINE_GOOGLE_CLOUD + 1 };
extern const char *const log_line_formats[LOG_LINE_FORMAT_COUNT];

enum log_field_kind {
    LOG_FIELD_END, // ends the list
    LOG_FIELD_TEXT,
    LOG_FIELD_NUMBER,
    LOG_FIELD_ADDR,
    LOG_FIELD_ERROR,
};

// One key and its value; what it points to is borrowed. Made by the macros LOG_TEXT and so on of
// log.h. Keys are literals of letters, digits and underscores, other than time, level, severity,
// message and target.
struct log_field {
    const char *key;
    enum log_field_kind kind;
    int error; // LOG_FIELD_ERROR: errno or -errno
    union {
        struct bytes text;
        uint64_t number;
        const struct addr *addr;
    };
};

struct log_line {
    int64_t wall_ms; // Unix time
    enum log_level level;
    struct bytes target; // what part of the program; empty: none. It is not in human lines
    const char *message;
    const struct log_field *fields; // up to the first of kind LOG_FIELD_END
    uint64_t suppressed_count;      // lines of this call site held back by its limit; 0 not shown
    uint64_t dropped_count;         // lines of any kind that found the output full; 0 not shown
};

// Writes a line and its newline to memory of LOG_LINE_MAX bytes; returns its length. Colours are
// for human lines on terminals; others have none.
size_t log_line_write(uint8_t out[LOG_LINE_MAX], const struct log_line *line,
                      enum log_line_format format, bool is_coloured);
