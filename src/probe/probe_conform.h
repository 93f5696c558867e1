// SPDX-License-Identifier: Apache-2.0
// The command conform: is a server right? Its options, and its run.
#pragma once

#include "conf/conf.h"
#include "conf/conf_help.h"

extern const struct conf_table probe_conform_table;
extern const struct conf_program probe_conform_program;

// Runs it. The exit status; -1 when there are errors in conf->errors, and nothing has been done.
int probe_conform_run(struct conf *conf);
