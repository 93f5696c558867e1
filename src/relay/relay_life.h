// SPDX-License-Identifier: Apache-2.0
// The lives of allocations in the log: a line when one begins, and one when it ends, which says
// whose it was, what it relayed and why it ended.
#pragma once

#include "base/now.h"
#include "turn/turn_command.h"

enum relay_life_end {
    RELAY_LIFE_DELETED,  // by its client, with a Refresh of lifetime 0
    RELAY_LIFE_EXPIRED,  // nobody refreshed it
    RELAY_LIFE_REPLACED, // its user made another one, and may have but one
    RELAY_LIFE_SHUTDOWN, // the relay ends
    RELAY_LIFE_ENDS,     // how many there are
};

// The word by which the log tells it, and what it means.
const char *relay_life_end_word(enum relay_life_end end);

void relay_life_begun(const struct turn_command_report *report);
// `kernel` is what was relayed beside the server, of which `life` knows nothing.
void relay_life_ended(const struct turn_life *life, const struct turn_usage *kernel,
                      enum relay_life_end end, struct now now);

// All of a life's usage, the kernel's with the server's.
struct turn_usage relay_life_usage(const struct turn_life *life, const struct turn_usage *kernel);
// The relayed port, which is the same for both families; 0 of what is no life.
uint16_t relay_life_port(const struct turn_life *life);
