// SPDX-License-Identifier: Apache-2.0
// The directory in which a relay keeps what it has made by itself: its keys, its access list, the
// leases of ports, and the line for the first agent.
#pragma once

#include <limits.h>
#include <stdbool.h>

#define TUNNEL_STATE_HERE "relay_state" // in the current directory
#define TUNNEL_STATE_SYSTEM "/var/lib/fairlead-tunnel"

#define TUNNEL_STATE_KEYS "relay_server_certs"
#define TUNNEL_STATE_ACCESS "access"
#define TUNNEL_STATE_LEASES "leases"
#define TUNNEL_STATE_FIRST "first-agent"

// Looks for one where a relay would have it. False: there is none.
bool tunnel_state_find(char out[PATH_MAX]);

// The path of a file in a directory, cut if it is too long to be one.
void tunnel_state_path(const char *folder, const char *name, char out[PATH_MAX]);
