// SPDX-License-Identifier: Apache-2.0
// The log as a daemon's configuration wants it.
#pragma once

#include "daemon/daemon_config.h"

// Writes it to standard output from now on. The configuration is good.
void daemon_log_open(const struct daemon_config *config);
// Has it write what the configuration, which is good, wants to see of it: after a reload.
void daemon_log_filter(const struct daemon_config *config);
