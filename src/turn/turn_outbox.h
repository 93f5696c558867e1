// SPDX-License-Identifier: Apache-2.0
// The commands that wait to be taken: a fixed list that is empty whenever a new call comes in.
#pragma once

#include <stdint.h>

#include "turn/turn_command.h"

// The most that one call adds is five: an old allocation is replaced (two sockets, a report), there
// is no port for the new one (a report), and the client is told. A tick goes on while there is
// room.
enum {
    TURN_OUTBOX_MAX = 16,
    TURN_OUTBOX_PER_CALL = 5, // commands that one call, or one expiry, adds at most
};

struct turn_outbox {
    uint32_t taken; // commands handed out already
    uint32_t count; // commands added since the list was last empty
    struct turn_command commands[TURN_OUTBOX_MAX];
    uint8_t messages[TURN_OUTBOX_MAX][TURN_COMMAND_MESSAGE_MAX];
};

bool turn_outbox_is_empty(const struct turn_outbox *outbox);
// There is room for what one more expiry adds.
bool turn_outbox_has_room(const struct turn_outbox *outbox);

// Begins anew (the list is empty: asserted).
void turn_outbox_reset(struct turn_outbox *outbox);
// Room for the message of the next command; TURN_COMMAND_MESSAGE_MAX bytes.
uint8_t *turn_outbox_message(struct turn_outbox *outbox);
// Adds a command (room for it is asserted).
void turn_outbox_add(struct turn_outbox *outbox, const struct turn_command *command);
// Takes the oldest command; its message stays where it is until turn_outbox_reset().
MUST_USE bool turn_outbox_take(struct turn_outbox *outbox, struct turn_command *out);
