// SPDX-License-Identifier: Apache-2.0
// What a program says to whoever has started it, and the exit status that says the same.
#pragma once

#include "base/bytes.h"
#include "conf/conf_error.h"
#include "conf/conf_help.h"
#include "daemon/daemon_load.h"

enum { DAEMON_TELL_EXIT_WRONG = 2 }; // something is wrong with the configuration or the options

// Writes what was asked for to standard output, not by stdio, which would keep a password. The exit
// status: whoever asked for it is to know when it could not be written.
MUST_USE int daemon_tell(struct bytes text);
// Writes what is wrong to standard error, where nobody may be to read it.
void daemon_tell_wrong(struct bytes text);
// The same of one mistake, as printf() writes it, on a line behind the program's name.
void daemon_tell_mistake(const char *program, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
// The same of a list of them, a line for each.
void daemon_tell_errors(const struct conf_errors *errors, const char *program);

// For a program that is not to run: tells what was asked for, or what is wrong. `outcome` is
// another one than DAEMON_LOAD_RUN. The exit status.
MUST_USE int daemon_tell_outcome(const struct daemon_load *load, enum daemon_load_outcome outcome,
                                 const struct conf_program *program);
