// SPDX-License-Identifier: Apache-2.0
// The commands that ask a running relay over its control socket: `fairlead-tunnel status`, `why
// PORT|ADDRESS`, `top` and `reload`.
#pragma once

#include "conf/conf_option.h"
#include "daemon/daemon_load.h"

extern const struct conf_table tunnel_ask_table;

// Runs the command that argv[0] is, prints what comes of it, and gives the exit status: 0, 1 when
// the relay could not be asked, 2 when something is wrong with the options.
int tunnel_ask(const struct daemon_load_sources *sources);
