// SPDX-License-Identifier: Apache-2.0
// The options of `fairlead-tunnel relay`.
#pragma once

#include "conf/conf_help.h"
#include "conf/conf_option.h"

#define TUNNEL_OPTIONS_SOCKET "tunnel.sock"

extern const struct conf_table tunnel_options_table;
extern const struct conf_program tunnel_options_program;
