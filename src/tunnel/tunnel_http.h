// SPDX-License-Identifier: Apache-2.0
// The command `fairlead-tunnel http`, by another name relayed_httpserver.
#pragma once

#include "daemon/daemon_load.h"

// Serves the files of the current directory until it is told to end. The exit status.
int tunnel_http(const struct daemon_load_sources *sources);
