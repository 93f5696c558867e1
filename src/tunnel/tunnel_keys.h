// SPDX-License-Identifier: Apache-2.0
// The command `fairlead-tunnel keys`: a CA and certificates for those who have none.
#pragma once

#include "conf/conf_help.h"
#include "daemon/daemon_load.h"

extern const struct conf_table tunnel_keys_table;

// Makes what the options say. The exit status.
int tunnel_keys(const struct daemon_load_sources *sources);
