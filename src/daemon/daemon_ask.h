// SPDX-License-Identifier: Apache-2.0
// The other end of the control socket (daemon_ctl.h): a command that asks a daemon of this host.
#pragma once

#include <stdbool.h>

#include "base/bytes.h"
#include "daemon/daemon_facts.h"
#include "io/io_local.h"

struct daemon_ask {
    const char *program;              // which says what goes wrong, such as fairlead-relay
    const char *whom;                 // it asks, as in "no relay answers"
    char path[IO_LOCAL_PATH_MAX + 1]; // of the socket
};

// Takes the path of the socket or, when it is empty, finds the one of this name that is there
// without an option. False, which is told: nobody knows where that is.
MUST_USE bool daemon_ask_find(struct daemon_ask *ask, struct bytes path, const char *name,
                              char *const *environment);
// Asks a question, a line with its end. False when there is no answer, which is told; *out is freed
// by the caller otherwise, and has no control characters but the ends of lines.
MUST_USE bool daemon_ask(const struct daemon_ask *ask, const char *question, struct bytes *out);
// Asks it, and prints the answer: to standard error if it begins with "error: ", when something is
// wrong with the question, or "failed: ", when it could not be done. Else as it is, or in another
// form, unless that is NULL. The exit status.
MUST_USE int daemon_ask_print(const struct daemon_ask *ask, const char *question,
                              daemon_facts_fn form);
