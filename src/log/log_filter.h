// SPDX-License-Identifier: Apache-2.0
// The directives that hold for the whole process, which any thread may replace at any time.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "log/log_directives.h"

enum {
    LOG_FILTER_ERROR_MAX = 256, // bytes that hold whatever log_filter_set() says
};

// Replaces the directives by those of the text. False: they stay as they are, and a sentence in
// *error says what is wrong with the text; it is printable ASCII and has no line break.
MUST_USE bool log_filter_set(struct bytes text, struct wr *error);

// Replaces them by one level for all.
void log_filter_set_level(enum log_level level);

// A line of this source file and level is written. Cheap when no target makes a difference.
bool log_filter_allow(const char *file, enum log_level level);

// The target of a source file: its name without the ending.
struct bytes log_filter_target(const char *file);
