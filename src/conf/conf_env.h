// SPDX-License-Identifier: Apache-2.0
// The environment.
//
// A variable that is empty counts as not set, since compose files and unit files often pass on
// what is empty. The value of an option that is not repeated is taken as it stands. Values of a
// repeated one are separated by commas, blanks around them do not count, and a comma or backslash
// within a value is written behind a backslash: FAIRLEAD_USER='alice:a\,b,bob:c\\d'.
// Variables that no option has are left alone.
#pragma once

#include "conf/conf.h"

// Reads "NAME=VALUE" strings up to a NULL; they outlive `conf`. Values with escapes are written
// unescaped to `scratch`, whose memory outlives `conf` too and should be wiped if options are
// secret. Call it after the command line and before the file.
void conf_env_read(struct conf *conf, char *const *environment, struct wr *scratch);
