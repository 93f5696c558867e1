// SPDX-License-Identifier: Apache-2.0
// Which lines are written, in the words of RUST_LOG: "info", "warn,relay=debug".
//
//     text      = directive *("," directive)      spaces around one do not matter, it may be empty
//     directive = level                           for all that no other directive names
//               / target ["=" [level]]            for all whose target begins so; else "trace"
//               / [target] "[" span "]" ["=" [level]]
//     level     = "off" / "error" / "warn" / "info" / "debug" / "trace" / "0" to "5"
//
// Of those that match the longest target decides, of two with the same target the later. A target
// is the name of the source file without its ending, such as relay_report, so that the name of a
// room stands for all of it. Any other target is good, too, and matches nothing; nor does a
// directive with a span, since there are none here. What no directive matches is at "info".
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "log/log_level.h"

enum {
    LOG_DIRECTIVES_TEXT_MAX = 1024, // bytes
    LOG_DIRECTIVES_MAX = 32,        // of one text, without those that match nothing
    LOG_DIRECTIVES_TARGET_MAX = 64, // bytes
};

struct log_directive {
    uint8_t target[LOG_DIRECTIVES_TARGET_MAX];
    uint8_t target_len;
    uint8_t level_count; // so many levels pass, from the most urgent on; 0: "off"
};

struct log_directives {
    struct log_directive items[LOG_DIRECTIVES_MAX];
    size_t count;
    uint8_t otherwise; // like level_count, of what no item matches
};

// What a text may be wrong in. `predicate` (NULL: nothing is wrong) is the end of a sentence that
// begins with `part`, which is borrowed from the text.
struct log_directives_error {
    const char *predicate;
    struct bytes part;
};

// Reads a text. *out is untouched when it is wrong.
struct log_directives_error log_directives_read(struct bytes text, struct log_directives *out);

// Lets this level pass, and all above it, whatever their targets.
struct log_directives log_directives_of_level(enum log_level level);

// A line of this target and level is written.
bool log_directives_allow(const struct log_directives *directives, struct bytes target,
                          enum log_level level);
