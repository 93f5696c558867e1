// SPDX-License-Identifier: Apache-2.0
// Secrets of the process: made up, and wiped where it was given them, since others can read its
// arguments and environment.
#pragma once

#include "conf/conf.h"

// Makes one up: `len` hexadecimal digits, an even number of them and at most 64, into `out`, by
// which it is lent.
struct bytes daemon_secret_make(uint8_t *out, size_t len);

// Wipes the values of secret options that stand in the arguments `conf` was read from, and all
// variables of the environment that are named for one, overridden ones included.
void daemon_secret_wipe(const struct conf *conf, char *const *environment);
