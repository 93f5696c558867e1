// SPDX-License-Identifier: Apache-2.0
// The table of options that the tests of this room share, and how they look at what came of it.
#pragma once

#include <stddef.h>

#include "conf/conf.h"

// help, version, config, listen-port (3478), realm, user (secret, repeated), allow-peer
// (repeated), is-quiet (a flag of the file too).
extern const struct conf_table sample_table;
// The same, and the positional options token and name.
extern const struct conf_table sample_positional_table;

// Fails the test unless the values of an option are these, in this order, up to a NULL.
void sample_expect_values(const struct conf *conf, const char *name, const char *const *texts);
// Fails the test unless the errors are these lines, in this order, up to a NULL.
void sample_expect_errors(const struct conf_errors *errors, const char *const *lines);

// Both with their list in place; it ends with NULL.
#define SAMPLE_VALUES(conf, name, ...)                                                             \
    sample_expect_values(conf, name, (const char *const[]){__VA_ARGS__})
#define SAMPLE_ERRORS(errors, ...) sample_expect_errors(errors, (const char *const[]){__VA_ARGS__})
