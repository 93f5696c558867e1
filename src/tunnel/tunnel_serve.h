// SPDX-License-Identifier: Apache-2.0
// The command `fairlead-tunnel relay`.
#pragma once

#include "daemon/daemon_load.h"

// Runs the relay until it is told to end. The exit status.
int tunnel_serve(const struct daemon_load_sources *sources);
