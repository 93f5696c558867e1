// SPDX-License-Identifier: Apache-2.0
// The program around an agent's machine.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/revtun/hub/meeting.h"

enum { TICKS_MAX = 200 };

// It comes back after half a second, made shorter by up to its half.
#define FIRST_WAIT_NS (250 * MS)

struct meeting_call *meeting_call(struct meeting *m, size_t agent, struct pool_ref ref)
{
    for (size_t i = 0; i < MEETING_CALLS; i++) {
        struct meeting_call *call = &m->agents[agent].calls[i];
        if (call->ref.index != POOL_NONE && memcmp(&call->ref, &ref, sizeof ref) == 0) {
            return call;
        }
    }
    return NULL;
}

static struct meeting_wire *wire_of(struct meeting *m, size_t agent, uint32_t link)
{
    const size_t wire = m->agents[agent].wires[link];

    meeting_hold(m, wire != MEETING_NONE, "a link is there that something is said on");
    return &m->wires[wire];
}

static struct meeting_event *to_hub(struct meeting *m, struct meeting_wire *wire,
                                    enum meeting_kind kind)
{
    const uint64_t at_ns = m->now.mono_ns + meeting_delay(m);

    wire->to_hub_ns = at_ns > wire->to_hub_ns ? at_ns : wire->to_hub_ns + 1;
    return meeting_plan(m, wire->to_hub_ns - m->now.mono_ns, kind, (size_t)(wire - m->wires));
}

static void connect(struct meeting *m, size_t place, uint32_t link)
{
    struct meeting_agent *agent = &m->agents[place];

    meeting_hold(m, agent->wires[link] == MEETING_NONE, "a link is made once");
    meeting_hold(m,
                 agent->connect_count == 0 || m->now.mono_ns - agent->connected_ns >= FIRST_WAIT_NS,
                 "it waits before it comes back");
    meeting_hold(m, m->wire_count < MEETING_WIRES, "there are not so many control connections");
    agent->connect_count++;
    agent->connected_ns = m->now.mono_ns;
    agent->wires[link] = m->wire_count;
    m->wires[m->wire_count] =
        (struct meeting_wire){.agent = place, .link = link, .conn = ++m->next_conn};
    meeting_plan(m, meeting_delay(m), CONNECTED, m->wire_count++);
}

static void send(struct meeting *m, size_t agent, const struct revtun_spoke_command *command)
{
    struct bytes text = command->text;

    m->line_count++;
    // In pieces, as it happens.
    while (text.len > 0) {
        const size_t len = meeting_below(m, 4) == 0 ? 1 + meeting_below(m, text.len) : text.len;
        struct meeting_event *event = to_hub(m, wire_of(m, agent, command->link), TO_HUB);
        event->bytes = malloc(len);
        assert(event->bytes != NULL);
        memcpy(event->bytes, text.ptr, len);
        event->len = len;
        text = bytes_from(text, len);
    }
}

static void dial(struct meeting *m, size_t agent, const struct revtun_spoke_command *command)
{
    struct meeting_call *call = m->agents[agent].calls;

    while (call->ref.index != POOL_NONE) {
        call++;
        meeting_hold(m, call < m->agents[agent].calls + MEETING_CALLS, "calls have a limit");
    }
    *call = (struct meeting_call){.ref = command->call,
                                  .link = command->link,
                                  .is_stand = command->type == REVTUN_SPOKE_STAND};
    memcpy(call->preface, command->preface, sizeof call->preface);
    if (!call->is_stand) {
        call->src = command->client.src;
    }
    meeting_plan(m, meeting_delay(m), DIALLED, agent)->ref = call->ref;
}

// What it has is reset, which the hub learns of.
static void reset(struct meeting *m, struct meeting_call *call)
{
    for (size_t i = 0; i < MEETING_CLIENTS; i++) {
        const struct meeting_client *client = &m->clients[i];
        if (client->conn != 0 && client->is_joined &&
            memcmp(&client->call, &call->ref, sizeof call->ref) == 0) {
            meeting_plan(m, meeting_delay(m), CLIENT_GOES, i)->life = client->conn;
        }
    }
    if (call->is_stand && call->conn != 0 && !call->has_client) {
        meeting_plan(m, meeting_delay(m), STAND_ENDS, 0)->ref = call->stand;
    }
    call->ref.index = POOL_NONE;
}

static void abandon(struct meeting *m, size_t place, uint32_t link)
{
    struct meeting_agent *agent = &m->agents[place];

    for (size_t i = 0; i < MEETING_CALLS; i++) {
        struct meeting_call *call = &agent->calls[i];
        if (call->ref.index != POOL_NONE && call->link == link && !call->runs) {
            const struct pool_ref ref = call->ref;
            reset(m, call);
            revtun_spoke_ended(agent->spoke, ref);
        }
    }
}

static void listen(struct meeting *m, size_t agent, const struct revtun_spoke_news *news)
{
    uint16_t *port = &m->agents[agent].ports[news->service];

    if (news->event == REVTUN_SPOKE_BOUND) {
        struct bytes at = news->at;
        at = bytes_from(at, bytes_index(at, ':') + 1);
        uint64_t number = 0;
        const bool is_read = bytes_to_number(at, UINT16_MAX, &number);
        meeting_hold(m, is_read, "it is told its port");
        meeting_hold(m, *port == 0 || *port == number, "a name comes back to its port");
        *port = (uint16_t)number;
    }
}

static void obey(struct meeting *m, size_t place, const struct revtun_spoke_command *command)
{
    struct meeting_wire *wire = NULL;
    struct meeting_call *call = NULL;

    switch (command->type) {
    case REVTUN_SPOKE_CONNECT:
        connect(m, place, command->link);
        return;
    case REVTUN_SPOKE_SEND:
        send(m, place, command);
        return;
    case REVTUN_SPOKE_CLOSE:
        wire = wire_of(m, place, command->link);
        meeting_hold(m, !wire->is_draining || !wire->is_up || wire->is_broken,
                     "clients are served until the hub ends");
        to_hub(m, wire, HUB_DOWN);
        meeting_plan(m, meeting_delay(m), SPOKE_DOWN, (size_t)(wire - m->wires));
        return;
    case REVTUN_SPOKE_ABANDON:
        abandon(m, place, command->link);
        return;
    case REVTUN_SPOKE_DIAL:
    case REVTUN_SPOKE_STAND:
        dial(m, place, command);
        return;
    case REVTUN_SPOKE_SERVE:
        call = meeting_call(m, place, command->call);
        meeting_hold(m, call != NULL && call->is_stand, "who is served has come");
        call->src = command->client.src;
        call->runs = true;
        return;
    case REVTUN_SPOKE_DROP:
        call = meeting_call(m, place, command->call);
        meeting_hold(m, call != NULL, "what is dropped is there");
        reset(m, call);
        return;
    case REVTUN_SPOKE_TELL:
        listen(m, place, &command->news);
        return;
    case REVTUN_SPOKE_STOP:
        meeting_fail(m, "it never gives up");
    }
}

static void take(struct meeting *m, size_t agent)
{
    struct revtun_spoke_command command;

    while (revtun_spoke_take(m->agents[agent].spoke, &command)) {
        obey(m, agent, &command);
    }
}

void meeting_obey_spoke(struct meeting *m, size_t agent)
{
    struct revtun_spoke *spoke = m->agents[agent].spoke;
    int ticks = 0;

    take(m, agent);
    while (revtun_spoke_deadline(spoke) <= m->now.mono_ns) {
        revtun_spoke_tick(spoke, m->now.mono_ns);
        take(m, agent);
        meeting_hold(m, ++ticks < TICKS_MAX, "what is due comes to an end");
    }
}
