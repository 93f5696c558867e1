// SPDX-License-Identifier: Apache-2.0
// What a fast path is told: which channels carry data now, so that it can relay their packets
// without asking the server.
//
// A channel is open when it is bound, its peer is permitted, and its allocation still has the
// peer's family. Whatever may have changed that touches the channel; what has come of it is found
// when the commands are taken, before all other commands of the call. So a channel is open in the
// fast path before its client is told, and is closed there before anything else happens:
//
//      touched --take--> open now, not there:  BIND
//                        not now, but there:   UNBIND
//                        otherwise:            nothing
//
// A deleted channel keeps its slot, which names it to the fast path, until that has let it go.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "turn/turn_command.h"

struct turn_server;

struct turn_path_queue {
    uint32_t first; // of the touched channels, or POOL_NONE
};

void turn_path_init(struct turn_path_queue *queue);
// No channel is touched.
bool turn_path_is_settled(const struct turn_server *server);

// Each does nothing when nobody has asked for a fast path (turn_config.h).

// A channel has been bound, rests, or has come back.
void turn_path_touch(struct turn_server *server, uint32_t channel);
// A permission of an allocation, for a peer's IP address, has come or gone.
void turn_path_touch_peer(struct turn_server *server, uint32_t allocation, const struct addr *peer);
// The allocation has lost a family.
void turn_path_touch_all(struct turn_server *server, uint32_t allocation);

// Frees the slot of a channel that nothing else knows any more, at once or when it is let go.
void turn_path_release(struct turn_server *server, uint32_t channel);

// Takes the next BIND or UNBIND. False, with *out untouched, when there is none.
MUST_USE bool turn_path_take(struct turn_server *server, struct turn_command *out);
