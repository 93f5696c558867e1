// SPDX-License-Identifier: Apache-2.0
// The options of `fairlead-probe bench`: the one table from which the parser, --help and the man
// page come.
#pragma once

#include "conf/conf_help.h"
#include "conf/conf_option.h"

extern const struct conf_table probe_options_table;
extern const struct conf_program probe_options_program;
