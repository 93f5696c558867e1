// SPDX-License-Identifier: Apache-2.0
// Turns what the TURN server reports into log lines.
#pragma once

#include "turn/turn_command.h"

void relay_report_log(const struct turn_command_report *report);
