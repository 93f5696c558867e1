// SPDX-License-Identifier: Apache-2.0
// What the log says of servers, clients and sessions.
#pragma once

#include "base/now.h"
#include "revtun/revtun_command.h"
#include "tunnel/tunnel_session.h"

void tunnel_report(const struct revtun_command_report *report);
// A client was refused, of a pair or of a tunnel (POOL_NONE), since there are too many of both
// versions.
void tunnel_report_crowded(const struct addr *from, uint32_t pair);
// A control connection of an agent has ended: for this reason, or (NULL) as the report says.
void tunnel_report_agent_down(const struct revtun_command_report *report, const char *reason);
// Why a session has ended, in a word or two.
const char *tunnel_report_why(enum io_pump_why why);
// One line for each session that has ended: whose, how long, how much, and why.
void tunnel_report_end(const struct tunnel_session *session, struct now now);
// Likewise of version 2: whose tunnel it was; empty: it was cut off with its agent.
void tunnel_report_end_of(const struct tunnel_session *session, struct bytes owner,
                          struct bytes name, struct now now);
