// SPDX-License-Identifier: Apache-2.0
// The command `fairlead-tunnel token`: a token for an agent, and its line of the relay's access
// list.
#pragma once

#include "conf/conf_help.h"
#include "daemon/daemon_load.h"

extern const struct conf_table tunnel_token_table;

// Makes what the options say. The exit status.
int tunnel_token(const struct daemon_load_sources *sources);
