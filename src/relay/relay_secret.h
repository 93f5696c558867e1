// SPDX-License-Identifier: Apache-2.0
// Wiping secrets where a process was given them: others can read its arguments and environment.
#pragma once

#include "conf/conf.h"

// Wipes the values of secret options that stand in the arguments `conf` was read from, and all
// variables of the environment that are named for one, overridden ones included.
void relay_secret_wipe(const struct conf *conf, char *const *environment);
