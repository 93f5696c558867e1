// SPDX-License-Identifier: Apache-2.0
// The command `fairlead-tunnel expose`.
#pragma once

#include "daemon/daemon_load.h"

// Makes a service reachable through a relay until it is told to end. The exit status.
int tunnel_expose(const struct daemon_load_sources *sources);
