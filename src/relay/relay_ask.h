// SPDX-License-Identifier: Apache-2.0
// The commands that ask a running relay over its control socket: `fairlead-relay status`, `why
// CLIENT`, `top` and `reload`.
#pragma once

#include "conf/conf_option.h"
#include "daemon/daemon_load.h"

extern const struct conf_table relay_ask_table;

// A daemon_query() of the relay.
int relay_ask(const struct daemon_load_sources *sources);
