// SPDX-License-Identifier: Apache-2.0
// The levels of log lines and their words.
#pragma once

#include "base/bytes.h"

// From the most urgent to the most talkative; a filter lets its own level and all above pass.
enum log_level {
    LOG_LEVEL_ERROR, // the program cannot do what it was started for
    LOG_LEVEL_WARN,  // something failed that somebody should look into
    LOG_LEVEL_INFO,  // what an operator wants to read on a quiet day
    LOG_LEVEL_DEBUG, // what one client did
    LOG_LEVEL_TRACE, // what one packet did
};

// Reads "error", "warn", "info", "debug" or "trace" in any case. False, with *out untouched, when
// the word is another.
MUST_USE bool log_level_read(struct bytes word, enum log_level *out);

// The word in lower case.
const char *log_level_text(enum log_level level);
