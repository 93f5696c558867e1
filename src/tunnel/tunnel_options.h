// SPDX-License-Identifier: Apache-2.0
// The options of `fairlead-tunnel relay`.
#pragma once

#include "conf/conf_help.h"
#include "conf/conf_option.h"

// service.name and service.namespace, for collectors of telemetry.
#define TUNNEL_OPTIONS_SERVICE "tunnel"
#define TUNNEL_OPTIONS_NAMESPACE "fairlead"

// Where the control socket is, below /run or the user's own such directory.
#define TUNNEL_OPTIONS_SOCKET_FOLDER "fairlead-tunnel"
#define TUNNEL_OPTIONS_SOCKET "tunnel.sock"
#define TUNNEL_OPTIONS_SOCKET_PATH TUNNEL_OPTIONS_SOCKET_FOLDER "/" TUNNEL_OPTIONS_SOCKET

extern const struct conf_table tunnel_options_table;
extern const struct conf_program tunnel_options_program;
