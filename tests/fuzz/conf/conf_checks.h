// SPDX-License-Identifier: Apache-2.0
// A table of options that the targets of this room share, and what holds for any configuration.
#pragma once

#include "conf/conf.h"

enum { CONF_CHECKS_INPUT_MAX = 2048 }; // bytes of input that a target uses

// flag (-f), port, words (repeated), secret (secret and repeated), config (not in the file),
// rest (positional); the environment names are F, P, W, S, C, R.
extern const struct conf_table conf_checks_table;

// Asserts that values and errors are whole: every message can be written and is printable, none
// has a secret, every value can be read or makes an error, nothing is given twice in silence.
void conf_checks(struct conf *conf);

// Cuts a copy of the input at its NUL bytes into up to text_max - 1 C strings, and ends the list
// with NULL. `memory` has room for size + 1 bytes. Returns the number of strings.
size_t conf_checks_split(const uint8_t *data, size_t size, char *memory, char **texts,
                         size_t text_max);
