// SPDX-License-Identifier: Apache-2.0
// Carries out what the hub of version 2 decides: on control connections, on those that wait, and by
// the crew. A part of tunnel_second.
#pragma once

#include "tunnel/tunnel_second.h"

// The hub has one kind of number for connections, and we have two places for them: this bit is set
// for data connections.
#define TUNNEL_CARRY_DATA (UINT64_C(1) << 32)

// Takes a connection that waits by the hub's number.
MUST_USE struct io_stream tunnel_carry_take(struct tunnel_second *second, uint64_t conn);

// Carries out all commands that the last call of the hub has left.
void tunnel_carry_out(struct tunnel_second *second, struct now now);
// What is due goes before whatever comes now, which is at the time that is returned.
struct now tunnel_carry_settle(struct tunnel_second *second);
// Tells the hub that a control connection is gone, and why; what follows is to be carried out.
void tunnel_carry_lose(struct tunnel_second *second, struct now now, uint32_t number,
                       const char *reason);
