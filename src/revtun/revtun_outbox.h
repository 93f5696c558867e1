// SPDX-License-Identifier: Apache-2.0
// The commands that wait to be taken: a fixed list that is empty whenever a new call comes in.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "revtun/revtun_command.h"
#include "revtun/revtun_line.h"
#include "revtun/revtun_queue.h"

enum {
    REVTUN_OUTBOX_MAX = 16,
    REVTUN_OUTBOX_PER_CALL = 3,    // commands that one call, or one thing that is due, adds at most
    REVTUN_OUTBOX_TEXT_MAX = 1024, // bytes: the longest line of version 2 that a relay writes
};
_Static_assert((int)REVTUN_LINE_GREETING_MAX <= (int)REVTUN_OUTBOX_TEXT_MAX,
               "and those of version 1");
_Static_assert((int)REVTUN_QUEUE_AGAIN_MAX *(int)REVTUN_LINE_NEW_CONNECTION_LEN <=
                   (int)REVTUN_OUTBOX_TEXT_MAX,
               "all that are announced again fit into one text");

struct revtun_outbox {
    uint32_t taken; // commands handed out already
    uint32_t count; // commands added since the list was last empty
    struct revtun_command commands[REVTUN_OUTBOX_MAX];
    uint8_t texts[REVTUN_OUTBOX_MAX][REVTUN_OUTBOX_TEXT_MAX];
};

bool revtun_outbox_is_empty(const struct revtun_outbox *outbox);
// There is room for what one more thing that is due adds.
bool revtun_outbox_has_room(const struct revtun_outbox *outbox);

// Begins anew (the list is empty: asserted).
void revtun_outbox_reset(struct revtun_outbox *outbox);
// Where the text of the next command is written.
struct wr revtun_outbox_text(struct revtun_outbox *outbox);
// Adds a command (room for it is asserted).
void revtun_outbox_add(struct revtun_outbox *outbox, const struct revtun_command *command);
// Adds REVTUN_COMMAND_SEND of what was written to revtun_outbox_text(), all of which fitted.
void revtun_outbox_send(struct revtun_outbox *outbox, uint64_t control, const struct wr *wr);
// Adds REVTUN_COMMAND_REPORT.
void revtun_outbox_report(struct revtun_outbox *outbox, const struct revtun_command_report *report);
// Takes the oldest command; its text stays where it is until revtun_outbox_reset().
MUST_USE bool revtun_outbox_take(struct revtun_outbox *outbox, struct revtun_command *out);
