// SPDX-License-Identifier: Apache-2.0
// A program's configuration: command line, environment and file become values with their places.
//
// The room conf promises: one constant table of options gives the parser, --help and the man page;
// every mistake is kept with its place and what would be right; nothing is dropped in silence.
// It does not open files, ask the environment, allocate, print or decide: the program hands it
// bytes. It knows no option by name.
//
// The strongest source that names an option supplies all its values: command line, then
// environment, then file, then the table's default. Sources are read in that order, since the
// first may say which file to read:
//
//     conf_init(&conf, &table);
//     conf_args_read(&conf, argc, argv);
//     conf_env_read(&conf, environ, &scratch);
//     config = conf_find(&conf, "config");                     // the program opens and reads it
//     conf_file_read(&conf, text, "/etc/fairlead/relay.conf");
//     conf_value_port(&conf.errors, conf_find(&conf, "listen-port"), &port);
//     user = conf_next(&conf, "user", NULL);                   // and again, with the last one
//     for (i = 0; i < conf.errors.count; i++) conf_error_write(&conf.errors, i, &wr);
//
// A file may have sections (conf_section.h): what stands below a heading is of that alone, and no
// source overrides it.
//
// A value that a stronger source overrides is not read, so mistakes in it are not found.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/bytes.h"
#include "conf/conf_error.h"
#include "conf/conf_option.h"
#include "conf/conf_value.h"

enum {
    CONF_VALUE_MAX = 4096, // values held, all options together
    CONF_SECTION_MAX = 32, // headings of a file
};

// What is known of one option.
struct conf_given {
    bool is_given;
    enum conf_source strongest; // the source that supplies its values, while is_given
    struct conf_place first;    // where the source that is being read named it first
};

// A heading of the file.
struct conf_section {
    struct bytes name; // between its brackets
    size_t number;     // its line
};

struct conf {
    const struct conf_table *table;
    struct conf_errors errors;
    enum conf_source reading; // the source read last; only weaker ones may follow
    struct conf_given given[CONF_OPTION_MAX];
    struct conf_value defaults[CONF_OPTION_MAX];
    struct conf_value values[CONF_VALUE_MAX];
    size_t value_count;
    struct conf_section sections[CONF_SECTION_MAX];
    size_t section_count;
    bool is_section_lost; // the last heading was one too many, and what stands below it goes too
};

// Makes an empty configuration. The table outlives it.
void conf_init(struct conf *conf, const struct conf_table *table);

// The first value of an option, or its default, or NULL. The table has the option (asserted).
const struct conf_value *conf_find(const struct conf *conf, const char *name);
// The value after `last` (NULL: the first), or NULL at the end.
const struct conf_value *conf_next(const struct conf *conf, const char *name,
                                   const struct conf_value *last);
// Whether a flag is set. A flag's value was read when it was given, so this cannot fail.
bool conf_flag(const struct conf *conf, const char *name);

// Whether any source names an option, or it was taken out of them.
bool conf_is_given(const struct conf *conf, const char *name);

// Takes an option out of the sources: it counts as given on the command line, but has no values,
// neither those that were read already nor others. For a program that reads its sources once more,
// and knows what they do not have any more.
void conf_hold(struct conf *conf, const struct conf_option *option);

// For the readers of sources: takes one value of an option, and adds an error when the same
// source gave a value before that may not be repeated, when a flag is neither true nor false,
// or when there is no more room.
void conf_add(struct conf *conf, const struct conf_value *value);
