// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_spoke_hear.h"

#include "revtun/revtun_spoke_bond.h"
#include "revtun/revtun_spoke_call.h"
#include "revtun/revtun_spoke_link.h"
#include "revtun/revtun_spoke_out.h"

static void break_off(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                      enum revtun_message_code code)
{
    revtun_spoke_link_end(spoke, now_ns, link, REVTUN_SPOKE_STRANGE, code);
}

// The relay's first words are a welcome or a good-bye.
static void greet(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                  const struct revtun_message *message)
{
    if (message->verb == REVTUN_MESSAGE_WELCOME) {
        revtun_spoke_link_welcome(spoke, now_ns, link, message);
    } else if (message->verb == REVTUN_MESSAGE_BYE) {
        revtun_spoke_link_hear_bye(spoke, now_ns, link, message);
    } else {
        break_off(spoke, now_ns, link, REVTUN_MESSAGE_CODE_PROTOCOL);
    }
}

static void obey(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                 const struct revtun_message *message)
{
    switch (message->verb) {
    case REVTUN_MESSAGE_BOUND:
        revtun_spoke_bond_bound(spoke, link, message);
        return;
    case REVTUN_MESSAGE_UNBOUND:
        revtun_spoke_bond_unbound(spoke, now_ns, link, message);
        return;
    case REVTUN_MESSAGE_ERROR:
        revtun_spoke_bond_error(spoke, now_ns, link, message);
        return;
    case REVTUN_MESSAGE_NEW_CONNECTION:
        revtun_spoke_call_new(spoke, now_ns, link, message);
        return;
    case REVTUN_MESSAGE_STANDBY:
        revtun_spoke_call_stand(spoke, now_ns, link, message);
        return;
    case REVTUN_MESSAGE_GONE:
        revtun_spoke_call_gone(spoke, link, message);
        return;
    case REVTUN_MESSAGE_PING:
        revtun_spoke_out_say(spoke, now_ns, link,
                             &(struct revtun_message){
                                 .verb = REVTUN_MESSAGE_PONG,
                                 .pong = {.n = message->ping.n},
                             });
        return;
    case REVTUN_MESSAGE_PONG:
        return;
    case REVTUN_MESSAGE_DRAIN:
        revtun_spoke_link_drain(spoke, now_ns, link, message->drain.in_s);
        return;
    case REVTUN_MESSAGE_BYE:
        revtun_spoke_link_hear_bye(spoke, now_ns, link, message);
        return;
    case REVTUN_MESSAGE_WELCOME: // a second one
    case REVTUN_MESSAGE_HELLO:
    case REVTUN_MESSAGE_BIND:
    case REVTUN_MESSAGE_UNBIND:
    case REVTUN_MESSAGE_REFUSE:
        break_off(spoke, now_ns, link, REVTUN_MESSAGE_CODE_PROTOCOL);
        return;
    }
}

static void read_line(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link, struct bytes line)
{
    const bool is_open = spoke->links[link].state == REVTUN_SPOKE_LINK_OPEN;
    struct revtun_message message;
    struct revtun_message_fault fault = {0};

    if (!revtun_fields_read(line, &spoke->fields)) {
        break_off(spoke, now_ns, link, REVTUN_MESSAGE_CODE_PROTOCOL);
        return;
    }
    switch (revtun_message_read(&spoke->fields, REVTUN_MESSAGE_RELAY, &message, &fault)) {
    case REVTUN_MESSAGE_OK:
        if (is_open) {
            obey(spoke, now_ns, link, &message);
        } else {
            greet(spoke, now_ns, link, &message);
        }
        break;
    case REVTUN_MESSAGE_UNKNOWN:
        if (!is_open) {
            break_off(spoke, now_ns, link, REVTUN_MESSAGE_CODE_PROTOCOL);
        }
        break;
    case REVTUN_MESSAGE_BAD:
        break_off(spoke, now_ns, link, REVTUN_MESSAGE_CODE_BAD_VALUE);
        break;
    }
}

void revtun_spoke_hear(struct revtun_spoke *spoke, uint64_t now_ns, uint32_t link,
                       struct bytes *received)
{
    struct bytes line = {0};

    spoke->links[link].heard_ns = now_ns;
    switch (revtun_stream_take(&spoke->links[link].stream, received, &line)) {
    case REVTUN_STREAM_LINE:
        read_line(spoke, now_ns, link, line);
        break;
    case REVTUN_STREAM_PART:
        break;
    case REVTUN_STREAM_LONG:
        break_off(spoke, now_ns, link, REVTUN_MESSAGE_CODE_PROTOCOL);
        break;
    }
}
