// SPDX-License-Identifier: Apache-2.0
// The command `fairlead-tunnel connect`, by another name tls_netcat.
#pragma once

#include "conf/conf_option.h"
#include "daemon/daemon_load.h"

extern const struct conf_table tunnel_connect_table;

// Standard input and output over TLS, until both have ended. The exit status.
int tunnel_connect(const struct daemon_load_sources *sources);
