// SPDX-License-Identifier: Apache-2.0
// The commands that ask a running relay over its control socket: `fairlead-relay status`, `why
// CLIENT`, `top` and `reload`.
#pragma once

#include <stdbool.h>

#include "conf/conf_option.h"

extern const struct conf_table relay_ask_table;

// The word is one of these commands.
bool relay_ask_is(const char *word);
// Runs the command that argv[0] is, prints what comes of it, and gives the exit status: 0, 1 when
// the relay could not be asked, 2 when something is wrong with the options.
int relay_ask_run(int argc, char *const *argv, char *const *environment);
