// SPDX-License-Identifier: Apache-2.0
#include "support/revtun_text.h"

#include <assert.h>

static void text_write(struct wr *wr, const char *word, uint64_t number)
{
    wr_text(wr, word);
    wr_text(wr, " ");
    wr_decimal(wr, number);
}

static void nonzero_write(struct wr *wr, const char *word, uint32_t number)
{
    if (number > 0) {
        text_write(wr, word, number);
    }
}

static const char *event_name(enum revtun_event event)
{
    switch (event) {
    case REVTUN_EVENT_LINKED:
        return "report linked";
    case REVTUN_EVENT_FULL:
        return "report full";
    case REVTUN_EVENT_SPOKE:
        return "report spoke";
    case REVTUN_EVENT_LOST:
        return "report lost";
    case REVTUN_EVENT_REFUSED:
        return "report refused";
    case REVTUN_EVENT_TIMED_OUT:
        return "report timed out";
    case REVTUN_EVENT_AGAIN:
        return "report again";
    case REVTUN_EVENT_FOREIGN:
        return "report foreign";
    case REVTUN_EVENT_OTHER_FAMILY:
        return "report other family";
    case REVTUN_EVENT_AGENT_UP:
        return "report agent up";
    case REVTUN_EVENT_AGENT_DOWN:
        return "report agent down";
    case REVTUN_EVENT_BOUND:
        return "report bound";
    case REVTUN_EVENT_UNBOUND:
        return "report unbound";
    case REVTUN_EVENT_BIND_REFUSED:
        return "report bind refused";
    case REVTUN_EVENT_DENIED:
        return "report denied";
    case REVTUN_EVENT_NOBODY:
        return "report nobody";
    case REVTUN_EVENT_FORGED:
        return "report forged";
    }
    assert(!"an event");
    return NULL;
}

static const char *refusal_name(enum revtun_refusal refusal)
{
    switch (refusal) {
#define REFUSAL_NAME(NAME, name, words)                                                            \
    case REVTUN_REFUSAL_##NAME:                                                                    \
        return " " #name;
        REVTUN_REFUSALS(REFUSAL_NAME)
#undef REFUSAL_NAME
    case REVTUN_REFUSAL_NONE:
    case REVTUN_REFUSAL_END:
        break;
    }
    return "";
}

static void report_write(struct wr *wr, const struct revtun_command_report *report)
{
    text_write(wr, event_name(report->event), report->control);
    if (report->pair != POOL_NONE) {
        text_write(wr, " pair", report->pair);
    }
    wr_text(wr, refusal_name(report->refusal));
    nonzero_write(wr, " count", report->count);
    nonzero_write(wr, " waiting", report->waiting_count);
    nonzero_write(wr, " sessions", report->session_count);
}

void revtun_text_write(char text[REVTUN_TEXT_MAX], const struct revtun_command *command)
{
    struct wr wr = wr_init((uint8_t *)text, REVTUN_TEXT_MAX);

    switch (command->type) {
    case REVTUN_COMMAND_SEND:
        text_write(&wr, "send", command->send.control);
        wr_text(&wr, " ");
        wr_bytes(&wr, command->send.text);
        break;
    case REVTUN_COMMAND_CLOSE:
        text_write(&wr, "close", command->close.control);
        break;
    case REVTUN_COMMAND_REFUSE:
        text_write(&wr, "refuse", command->refuse.conn);
        wr_text(&wr, " ");
        wr_bytes(&wr, command->refuse.text);
        break;
    case REVTUN_COMMAND_RESET:
        text_write(&wr, "reset", command->reset.conn);
        break;
    case REVTUN_COMMAND_JOIN:
        text_write(&wr, "join", command->join.client);
        text_write(&wr, "", command->join.reverse);
        break;
    case REVTUN_COMMAND_END:
        text_write(&wr, "end", command->end.client);
        break;
    case REVTUN_COMMAND_REPORT:
        report_write(&wr, &command->report);
        break;
    }
    wr_u8(&wr, 0);
    assert(wr_ok(&wr));
}
