// SPDX-License-Identifier: Apache-2.0
// The command attack: does to a server what abusers do, and tells what it does not refuse.
#pragma once

#include "conf/conf.h"
#include "conf/conf_help.h"

extern const struct conf_table probe_attack_table;
extern const struct conf_program probe_attack_program;

// Runs the command. The exit status, or -1 when there are errors in conf->errors.
int probe_attack_run(struct conf *conf);
