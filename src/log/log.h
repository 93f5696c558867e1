// SPDX-License-Identifier: Apache-2.0
// The door of the room log: one process-wide logger that writes lines to stdout: for people, in
// JSON, or in the form of Google Cloud. What is written is up to log_filter.h.
//
// Each line is one write(2) of at most LOG_LINE_MAX bytes, from any thread. Lines that find the
// output full (a pipe whose reader is slow) are dropped, counted, and reported in the next line as
// dropped=N: logging never holds up a packet. It knows no secrets, no files and no protocol.
//
//     LOG_INFO("allocation created", LOG_ADDR("client", &client), LOG_NUMBER("lifetime_s", 600));
//
//     static struct log_limit limit = LOG_LIMIT_DEFAULT;
//     LOG_LIMITED(&limit, LOG_LEVEL_WARN, "send failed", LOG_ERROR_NUMBER("error", error));
#pragma once

#include <stdbool.h>

#include "log/log_filter.h"
#include "log/log_level.h"
#include "log/log_limit.h"
#include "log/log_line.h"

// Sets where and how lines are written; call it before there are threads. Until then: stdout,
// human, info. The level can be replaced by log_filter_set() later. `fd` is borrowed and stays open
// while anything logs; it is coloured when it is a terminal and the lines are human.
void log_open(int fd, enum log_level level, enum log_line_format format);

// Lines of this source file and level are written.
bool log_is_on(const char *file, enum log_level level);

// Lines dropped since the start because the output was full or failed.
uint64_t log_dropped_count(void);

// Writes a line if it is on. `fields` end with LOG_FIELD_END. Use the macros, which give the name
// of the file that they stand in.
void log_write(const char *file, enum log_level level, const char *message,
               const struct log_field *fields);

// The same, if the call site's limit has a token left.
void log_write_limited(struct log_limit *limit, const char *file, enum log_level level,
                       const char *message, const struct log_field *fields);

// Fields are not evaluated when a line is off.
#define LOG_AT(level, message, ...)                                                                \
    (log_is_on(__FILE_NAME__, level)                                                               \
         ? log_write(__FILE_NAME__, level, message, LOG_FIELDS(__VA_ARGS__))                       \
         : (void)0)
#define LOG_LIMITED(limit, level, message, ...)                                                    \
    (log_is_on(__FILE_NAME__, level)                                                               \
         ? log_write_limited(limit, __FILE_NAME__, level, message, LOG_FIELDS(__VA_ARGS__))        \
         : (void)0)

#define LOG_ERROR(message, ...) LOG_AT(LOG_LEVEL_ERROR, message, __VA_ARGS__)
#define LOG_WARN(message, ...) LOG_AT(LOG_LEVEL_WARN, message, __VA_ARGS__)
#define LOG_INFO(message, ...) LOG_AT(LOG_LEVEL_INFO, message, __VA_ARGS__)
#define LOG_DEBUG(message, ...) LOG_AT(LOG_LEVEL_DEBUG, message, __VA_ARGS__)
#define LOG_TRACE(message, ...) LOG_AT(LOG_LEVEL_TRACE, message, __VA_ARGS__)

// A field from a C string (may be NULL), a span of bytes, a uint64_t, a `const struct addr *`, or
// an errno (of either sign), shown as its name and text.
#define LOG_TEXT(name, c_string)                                                                   \
    {                                                                                              \
        .key = (name), .kind = LOG_FIELD_TEXT, .text = bytes_of_text(c_string)                     \
    }
#define LOG_BYTES(name, span)                                                                      \
    {                                                                                              \
        .key = (name), .kind = LOG_FIELD_TEXT, .text = (span)                                      \
    }
#define LOG_NUMBER(name, value)                                                                    \
    {                                                                                              \
        .key = (name), .kind = LOG_FIELD_NUMBER, .number = (value)                                 \
    }
#define LOG_ADDR(name, address)                                                                    \
    {                                                                                              \
        .key = (name), .kind = LOG_FIELD_ADDR, .addr = (address)                                   \
    }
#define LOG_ERROR_NUMBER(name, number)                                                             \
    {                                                                                              \
        .key = (name), .kind = LOG_FIELD_ERROR, .error = (number)                                  \
    }

// The list of fields that log_write takes.
#define LOG_FIELDS(...)                                                                            \
    ((const struct log_field[]){__VA_ARGS__ __VA_OPT__(, ){.kind = LOG_FIELD_END}})
