// SPDX-License-Identifier: Apache-2.0
// Turns what clients bring about into log lines, of which each kind has a limit of its own.
#pragma once

#include <stdbool.h>

#include "turn/turn_command.h"

// What the TURN server reports.
void relay_report_log(const struct turn_command_report *report);
// The system did not send a packet; `error` is the negative errno.
void relay_report_unsent(const struct addr *to, bool is_to_peer, int error);
