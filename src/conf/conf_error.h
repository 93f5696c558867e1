// SPDX-License-Identifier: Apache-2.0
// What is wrong in a configuration, where, and what would be right: a list that all readers share.
//
// Errors are collected, so that one run shows them all. The value of a secret option is never
// part of one; and arguments and lines that name no option, which may be the half of a mistyped
// secret, are told by their place alone.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "conf/conf_option.h"

enum {
    CONF_ERROR_MAX = 16,        // kept; more are counted only
    CONF_ERROR_TEXT_MAX = 2048, // bytes that hold a message whole, unless its words are many
    CONF_ERROR_QUOTE_MAX = 64,  // bytes of what was given that a message repeats
    CONF_ERROR_FILE_MAX = 200,  // bytes of the file's name that a message repeats
};

// Where a value comes from; a greater one is stronger.
enum conf_source {
    CONF_DEFAULT,
    CONF_FILE,
    CONF_ENVIRONMENT,
    CONF_COMMAND_LINE,
};

struct conf_place {
    enum conf_source source;
    size_t number; // argument (as in argv), line of the file, or value between commas; from 1
};

struct conf_value; // conf_value.h

enum conf_wrong {
    CONF_WRONG_VALUE,      // it does not read as what the option takes
    CONF_WRONG_NAME,       // no option has this name
    CONF_WRONG_POSITIONAL, // an argument without a name, where none is taken
    CONF_WRONG_NO_VALUE,   // an option without its value
    CONF_WRONG_EMPTY,      // nothing between two commas
    CONF_WRONG_TWICE,      // one source gives two values to an option that takes one
    CONF_WRONG_IN_FILE,    // this option does not belong into a file
    CONF_WRONG_SECTION,    // a heading of the file, whose name is `given`: wanted.predicate
    CONF_WRONG_IN_SECTION, // this option is of the whole file, and stands below a heading
    CONF_WRONG_LINE,       // a line that is not `key = value`
    CONF_WRONG_BYTE,       // a NUL byte
    CONF_WRONG_LENGTH,     // a line over the limit, which is wanted.max
    CONF_WRONG_QUOTE,      // a quote opens a value and none closes it
    CONF_WRONG_ESCAPE,     // a backslash before something else than a comma or a backslash
    CONF_WRONG_ROOM,       // more values than wanted.max, or (0) longer ones than fit in scratch
    CONF_WRONG_MISSING,    // an option that must be given is not
};

// What would be right: "is not a port" from 1 to 65535. Texts outlive the error.
struct conf_wanted {
    const char *predicate;    // what is wrong with the value, as the end of a sentence
    uint64_t min, max;        // " from 1 to 65535" follows; max 0: no range
    const char *unit;         // follows the range: " seconds"; or NULL
    const char *const *words; // ": human, json" follows; word_count of them
    size_t word_count;
};

struct conf_error {
    enum conf_wrong wrong;
    struct conf_place place;
    size_t first_number;               // CONF_WRONG_TWICE: the place of the first
    const struct conf_option *option;  // NULL: names, arguments and lines that belong to none
    const struct conf_option *nearest; // CONF_WRONG_NAME: what was perhaps meant, or NULL
    bool is_surely_name;               // CONF_WRONG_NAME: `given` is no value, and can be told
    struct bytes given;                // the name or value as it was written; may be empty
    struct conf_wanted wanted;         // CONF_WRONG_VALUE, and the limits of others
};

struct conf_errors {
    struct conf_error items[CONF_ERROR_MAX];
    size_t count;          // kept in items
    size_t left_off;       // found after items was full
    const char *file_name; // for messages, up to CONF_ERROR_FILE_MAX of it; NULL: "file"
};

// Adds an error; what does not fit is counted. A secret's `given` is dropped here.
void conf_error_add(struct conf_errors *errors, const struct conf_error *error);
// Adds what a caller finds wrong with a value: conf_error_value(errors, low, "is above the
// highest port"). The text outlives the list.
void conf_error_value(struct conf_errors *errors, const struct conf_value *value,
                      const char *predicate);
// Adds that an option, which must be given, is not.
void conf_error_missing(struct conf_errors *errors, const struct conf_option *option);

// Writes one error as a line without its end: "--listen-port: '70000' is not a port from 1 to
// 65535 (relay.conf, line 7)". What is repeated is cut to CONF_ERROR_QUOTE_MAX, and all but
// printable ASCII is written as \xNN.
void conf_error_write(const struct conf_errors *errors, size_t index, struct wr *wr);
