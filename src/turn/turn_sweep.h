// SPDX-License-Identifier: Apache-2.0
// The taking of permissions and channels from those whose peers a new policy denies.
//
// There may be many of them, and packets are not to wait: so many are looked at in a step, and the
// next step is due a moment later. Until it is over, data is judged by the new rules packet by
// packet, so that none passes to or from a denied peer by the server from the first moment on; a
// fast path lets go of a channel when the sweep comes to it.
//
//      OVER --turn_sweep_begin()--> on its way --turn_sweep_tick()...--> OVER
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/now.h"

struct turn_server;

enum {
    TURN_SWEEP_STEP = 4096, // permissions or channels that one step looks at: half a millisecond
};

struct turn_sweep {
    bool is_on;
    uint32_t next_permission; // index of the first one that was not looked at
    uint32_t next_channel;
    uint64_t due_ns; // when the next step is due
};

// The server has a new policy: begins anew, with its first step.
void turn_sweep_begin(struct turn_server *server, struct now now);
// Does a step if one is due.
void turn_sweep_tick(struct turn_server *server, struct now now);
// When the next one is due (monotonic ns), or NEVER.
uint64_t turn_sweep_deadline(const struct turn_server *server);

// While a sweep is on its way: data between an allocation and a peer is not to pass any more.
bool turn_sweep_stops(const struct turn_server *server, uint32_t allocation,
                      const struct addr *peer);
