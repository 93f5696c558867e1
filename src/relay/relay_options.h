// SPDX-License-Identifier: Apache-2.0
// The options of fairlead-relay: the one table from which the parser, --help and the man page come.
#pragma once

#include "conf/conf_help.h"
#include "conf/conf_option.h"

// What the control socket is called where --control-socket does not say.
#define RELAY_OPTIONS_SOCKET "relay.sock"
// What it calls itself to a collector, as Firezone's relay does.
#define RELAY_OPTIONS_SERVICE "relay"
#define RELAY_OPTIONS_NAMESPACE "firezone"

extern const struct conf_table relay_options_table;
extern const struct conf_program relay_options_program;
