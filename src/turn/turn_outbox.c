// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_outbox.h"

#include <assert.h>

bool turn_outbox_is_empty(const struct turn_outbox *outbox)
{
    return outbox->taken == outbox->count;
}

bool turn_outbox_has_room(const struct turn_outbox *outbox)
{
    return outbox->count + TURN_OUTBOX_PER_CALL <= TURN_OUTBOX_MAX;
}

void turn_outbox_reset(struct turn_outbox *outbox)
{
    assert(turn_outbox_is_empty(outbox));
    outbox->taken = 0;
    outbox->count = 0;
}

uint8_t *turn_outbox_message(struct turn_outbox *outbox)
{
    assert(outbox->count < TURN_OUTBOX_MAX);
    return outbox->messages[outbox->count];
}

void turn_outbox_add(struct turn_outbox *outbox, const struct turn_command *command)
{
    assert(outbox->count < TURN_OUTBOX_MAX);
    outbox->commands[outbox->count++] = *command;
}

bool turn_outbox_take(struct turn_outbox *outbox, struct turn_command *out)
{
    if (turn_outbox_is_empty(outbox)) {
        return false;
    }
    *out = outbox->commands[outbox->taken++];
    return true;
}
