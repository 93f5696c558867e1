// SPDX-License-Identifier: Apache-2.0
// Sections of a file: options below a heading are of what the heading names.
//
//     relay = relay.example.org
//
//     [web]
//     target = 127.0.0.1:8080
//
// Only a table that says so has them (conf_table.has_sections), and only options that say so stand
// below a heading (conf_option.is_of_section); those may stand above the first one too.
#pragma once

#include "conf/conf.h"

// For the reader of the file: a heading begins, whose values are those that follow. An error is
// added when there are too many, whose values are left out, or one of that name is there already.
void conf_section_begin(struct conf *conf, struct bytes name, size_t number);

// The value of an option below a heading (from 1) after `last` (NULL: the first), or NULL. The
// table has the option (asserted).
const struct conf_value *conf_section_next(const struct conf *conf, size_t section,
                                           const char *name, const struct conf_value *last);
// The first value there; if there is none, that above all headings, or the default; or NULL.
const struct conf_value *conf_section_find(const struct conf *conf, size_t section,
                                           const char *name);

// Adds what a caller finds wrong with a section as a whole: "lacks a target". The text outlives the
// list.
void conf_section_error(struct conf *conf, size_t section, const char *predicate);
