// SPDX-License-Identifier: Apache-2.0
// The commands that ask a running relay over its control socket: `fairlead-tunnel status`, `why
// PORT|ADDRESS`, `top` and `reload`.
#pragma once

#include "conf/conf_option.h"
#include "daemon/daemon_load.h"

extern const struct conf_table tunnel_ask_table;

// A daemon_query() of the relay.
int tunnel_ask(const struct daemon_load_sources *sources);
