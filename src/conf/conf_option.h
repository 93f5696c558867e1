// SPDX-License-Identifier: Apache-2.0
// The options that a program knows: one constant table, from which all else is derived.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"

enum {
    CONF_OPTION_MAX = 96, // options in one table; Firezone's relay and ours together know about 60
};

// One option. Its zero values are the usual case, so that a table names only what is special.
struct conf_option {
    const char *name;         // "listen-port": behind dashes on the command line, key of the file
    const char *environment;  // "FAIRLEAD_LISTEN_PORT"; NULL: the environment does not give it
    const char *placeholder;  // "PORT"; NULL: a flag, which is true when it is only named
    const char *default_text; // the value when nothing gives one, read like any other; or NULL
    const char *default_note; // what help says of the default instead of default_text; or NULL
    const char *group;        // heading in help; options of one group stand together in the table
    const char *help;         // whole sentences, without line breaks
    char short_name;          // 'h' for -h; 0: none
    bool is_repeated;         // takes many values
    bool is_secret;           // its value is never repeated in a message
    bool is_of_section;       // may stand below a heading of the file, of what that names
    bool is_outside_file;     // a mistake when the file has it: help, version, config
    bool is_reloaded;         // it may change while the program runs
    bool is_positional;       // also given by an argument without a name, in the table's order;
                              // one without any default is shown as one that must be given
};

struct conf_table {
    const struct conf_option *options;
    size_t count;      // up to CONF_OPTION_MAX
    bool has_sections; // the file may have headings, [NAME], each with options of its own
};

// Asserts what every table promises: names, headings and help are there, names are unlike one
// another, what is a flag has no use for a value. For conf_init() and for tests of tables.
void conf_option_check(const struct conf_table *table);

// The option of that name (without dashes), or NULL.
const struct conf_option *conf_option_find(const struct conf_table *table, struct bytes name);
// The option of that letter, or NULL.
const struct conf_option *conf_option_find_short(const struct conf_table *table, char short_name);
// The option that the argument at `index` (from 0) among those without a name gives, or NULL.
// A repeated option takes all that follow.
const struct conf_option *conf_option_find_positional(const struct conf_table *table, size_t index);
// How many bytes at the start of `text` could be part of a name: letters, digits, '-' and '_'.
// What stands behind them is not repeated in messages, since it may be a secret.
size_t conf_option_name_len(struct bytes text);
