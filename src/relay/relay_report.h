// SPDX-License-Identifier: Apache-2.0
// Turns what clients bring about into log lines, of which each kind has a limit of its own.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/now.h"
#include "turn/turn_command.h"

// What the TURN server reports; `kernel` is what was relayed beside it, for an allocation that has
// ended.
void relay_report_log(const struct turn_command_report *report, const struct turn_usage *kernel,
                      struct now now);
// The system did not send a packet; `error` is the negative errno.
void relay_report_unsent(const struct addr *to, bool is_to_peer, int error);
// The system gave a socket a receive buffer of so many bytes. Less than was wanted is told once.
void relay_report_buffer(uint32_t wanted_len, uint32_t given_len);
