// SPDX-License-Identifier: Apache-2.0
// The command `fairlead-tunnel echo`, by another name relayed_echoserver.
#pragma once

#include "daemon/daemon_load.h"

// Sends back what clients send, until it is told to end. The exit status.
int tunnel_echo(const struct daemon_load_sources *sources);
