// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_outbox.h"

#include <assert.h>

bool revtun_outbox_is_empty(const struct revtun_outbox *outbox)
{
    return outbox->taken == outbox->count;
}

bool revtun_outbox_has_room(const struct revtun_outbox *outbox)
{
    return outbox->count + REVTUN_OUTBOX_PER_CALL <= REVTUN_OUTBOX_MAX;
}

void revtun_outbox_reset(struct revtun_outbox *outbox)
{
    assert(revtun_outbox_is_empty(outbox));
    outbox->taken = 0;
    outbox->count = 0;
}

struct wr revtun_outbox_text(struct revtun_outbox *outbox)
{
    assert(outbox->count < REVTUN_OUTBOX_MAX);
    return wr_init(outbox->texts[outbox->count], REVTUN_OUTBOX_TEXT_MAX);
}

void revtun_outbox_add(struct revtun_outbox *outbox, const struct revtun_command *command)
{
    assert(outbox->count < REVTUN_OUTBOX_MAX);
    outbox->commands[outbox->count++] = *command;
}

void revtun_outbox_send(struct revtun_outbox *outbox, uint64_t control, const struct wr *wr)
{
    assert(wr_ok(wr));
    assert(wr_done(wr).ptr == outbox->texts[outbox->count]);
    revtun_outbox_add(outbox, &(struct revtun_command){
                                  .type = REVTUN_COMMAND_SEND,
                                  .send = {.control = control, .text = wr_done(wr)},
                              });
}

void revtun_outbox_report(struct revtun_outbox *outbox, const struct revtun_command_report *report)
{
    revtun_outbox_add(outbox, &(struct revtun_command){
                                  .type = REVTUN_COMMAND_REPORT,
                                  .report = *report,
                              });
}

bool revtun_outbox_take(struct revtun_outbox *outbox, struct revtun_command *out)
{
    if (revtun_outbox_is_empty(outbox)) {
        return false;
    }
    *out = outbox->commands[outbox->taken++];
    return true;
}
