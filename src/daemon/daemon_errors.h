// SPDX-License-Identifier: Apache-2.0
// What is wrong with a configuration, as an operator reads it.
#pragma once

#include "base/bytes.h"
#include "conf/conf_error.h"

enum {
    DAEMON_ERRORS_TEXT_MAX = (CONF_ERROR_MAX + 1) * (CONF_ERROR_TEXT_MAX + 64), // bytes hold it all
};

// Writes a line for each mistake, behind the program's name, and how many more there are.
void daemon_errors_write(struct wr *wr, const struct conf_errors *errors, const char *program);
