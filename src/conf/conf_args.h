// SPDX-License-Identifier: Apache-2.0
// The command line.
//
//     --name VALUE   --name=VALUE   --flag   --flag=false   -h   -k VALUE   -kVALUE   ARGUMENT   --
//
// A VALUE in an argument of its own does not begin with two dashes, so that a forgotten value is
// found; --name=VALUE takes all. Behind "--" stand only arguments without a name. A repeated
// option is named repeatedly; values are not split.
#pragma once

#include "conf/conf.h"

// Reads argv[1] to argv[argc - 1], which outlive `conf`. Call it first.
void conf_args_read(struct conf *conf, int argc, char *const *argv);
