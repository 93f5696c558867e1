// SPDX-License-Identifier: Apache-2.0
// The program around the hub.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/revtun/hub/meeting.h"

enum { TICKS_MAX = 2000, UNREAD_MAX = 65536 };

static struct meeting_wire *wire_of(struct meeting *m, uint64_t conn)
{
    for (size_t i = m->wire_count; i-- > 0;) {
        if (m->wires[i].conn == conn) {
            return &m->wires[i];
        }
    }
    meeting_fail(m, "there is no such control connection");
}

static struct meeting_client *client_of(struct meeting *m, uint64_t conn)
{
    for (size_t i = 0; i < MEETING_CLIENTS; i++) {
        if (m->clients[i].conn == conn) {
            return &m->clients[i];
        }
    }
    return NULL;
}

static struct meeting_call *call_of(struct meeting *m, uint64_t conn, size_t *agent)
{
    for (size_t i = 0; i < MEETING_AGENTS; i++) {
        for (size_t j = 0; j < MEETING_CALLS; j++) {
            struct meeting_call *call = &m->agents[i].calls[j];
            if (call->ref.index != POOL_NONE && call->conn == conn) {
                *agent = i;
                return call;
            }
        }
    }
    return NULL;
}

// Behind what was said before.
static struct meeting_event *to_spoke(struct meeting *m, struct meeting_wire *wire,
                                      enum meeting_kind kind)
{
    const uint64_t at_ns = m->now.mono_ns + meeting_delay(m);

    wire->to_spoke_ns = at_ns > wire->to_spoke_ns ? at_ns : wire->to_spoke_ns + 1;
    return meeting_plan(m, wire->to_spoke_ns - m->now.mono_ns, kind, (size_t)(wire - m->wires));
}

static void send(struct meeting *m, const struct revtun_command_send *send)
{
    struct meeting_wire *wire = wire_of(m, send->control);

    meeting_hold(m, wire->is_up, "nothing is said to who is not there");
    m->line_count++;
    wire->unread_len += wire->is_broken ? 0 : send->text.len;
    meeting_hold(m, wire->unread_len <= UNREAD_MAX, "no more is said than may be unread");
    struct meeting_event *event = to_spoke(m, wire, TO_SPOKE);
    event->bytes = malloc(send->text.len);
    assert(event->bytes != NULL);
    memcpy(event->bytes, send->text.ptr, send->text.len);
    event->len = send->text.len;
}

static void join(struct meeting *m, const struct revtun_command_join *join)
{
    struct meeting_client *client = client_of(m, join->client);
    size_t agent = 0;
    struct meeting_call *call = call_of(m, join->reverse, &agent);

    meeting_hold(m, client != NULL && !client->is_joined, "a client that waits is joined");
    m->join_count++;
    client->is_joined = true;
    client->agent = agent;
    meeting_plan(m, meeting_below(m, 60 * SECOND_NS), CLIENT_GOES, (size_t)(client - m->clients))
        ->life = client->conn;
    if (join->reverse == m->data_conn) {
        m->is_data_settled = true;
    }
    if (call == NULL) {
        return; // its agent has just given it up, and what it has reset arrives later
    }
    client->call = call->ref;
    if (join->head.len == 0) {
        meeting_hold(m, addr_equal(&call->src, &client->src), "the call was made for this client");
        return;
    }
    m->standing_count++;
    meeting_hold(m, call->is_stand && !call->has_client, "a standing connection is used once");
    call->has_client = true;
    struct meeting_event *event = meeting_plan(m, meeting_delay(m), HEAD_COMES, agent);
    event->ref = call->ref;
    event->life = client->conn;
    event->bytes = malloc(join->head.len);
    assert(event->bytes != NULL);
    memcpy(event->bytes, join->head.ptr, join->head.len);
    event->len = join->head.len;
}

// A client's connection is closed, or a data connection.
static void refuse(struct meeting *m, uint64_t conn)
{
    struct meeting_client *client = client_of(m, conn);
    size_t agent = 0;
    struct meeting_call *call = call_of(m, conn, &agent);

    if (client != NULL) {
        meeting_hold(m, !client->is_joined, "a session is not closed as who waits");
        *client = (struct meeting_client){.conn = 0};
        return;
    }
    if (conn == m->data_conn) {
        m->is_data_settled = true;
    }
    if (call != NULL) {
        meeting_plan(m, meeting_delay(m), CALL_ENDS, agent)->ref = call->ref;
    }
}

static void obey(struct meeting *m, const struct revtun_command *command)
{
    struct meeting_wire *wire = NULL;

    switch (command->type) {
    case REVTUN_COMMAND_SEND:
        send(m, &command->send);
        return;
    case REVTUN_COMMAND_CLOSE:
        wire = wire_of(m, command->close.control);
        wire->is_up = false;
        to_spoke(m, wire, SPOKE_DOWN);
        return;
    case REVTUN_COMMAND_JOIN:
        join(m, &command->join);
        return;
    case REVTUN_COMMAND_END:
        meeting_fail(m, "nobody is revoked here");
    case REVTUN_COMMAND_REFUSE:
        refuse(m, command->refuse.conn);
        return;
    case REVTUN_COMMAND_RESET:
        refuse(m, command->reset.conn);
        return;
    case REVTUN_COMMAND_REPORT:
        meeting_hold(m, command->report.event != REVTUN_EVENT_FORGED || !m->is_calm,
                     "no data connection is forged");
        return;
    }
}

static void take(struct meeting *m)
{
    struct revtun_command command;

    while (revtun_hub_take(m->hub, &command)) {
        obey(m, &command);
    }
}

void meeting_obey_hub(struct meeting *m)
{
    int ticks = 0;

    take(m);
    while (revtun_hub_deadline(m->hub) <= m->now.mono_ns) {
        revtun_hub_tick(m->hub, m->now);
        take(m);
        meeting_hold(m, ++ticks < TICKS_MAX, "what is due comes to an end");
    }
}

// --- its life ------------------------------------------------------------------------------------

void meeting_open_hub(struct meeting *m, struct bytes leases)
{
    uint8_t seed[REVTUN_HUB_SEED_LEN];
    void *memory = calloc(1, revtun_hub_size(&m->config));

    assert(memory != NULL);
    rng_fill(&m->rng, seed, sizeof seed);
    m->hub = revtun_hub_init(memory, &m->config, &m->access, seed);
    const struct revtun_names_dropped dropped =
        revtun_names_read(revtun_hub_names(m->hub), leases, m->now.wall_s);
    meeting_hold(m, dropped.count == 0, "no lease is dropped");
}

void meeting_lose_all(struct meeting *m)
{
    for (size_t i = 0; i < m->wire_count; i++) {
        if (m->wires[i].is_up) {
            m->wires[i].is_up = false;
            to_spoke(m, &m->wires[i], SPOKE_DOWN);
        }
    }
    for (size_t i = 0; i < MEETING_CLIENTS; i++) {
        if (m->clients[i].conn != 0 && m->clients[i].is_joined) {
            struct meeting_event *event =
                meeting_plan(m, meeting_delay(m), CALL_ENDS, m->clients[i].agent);
            event->ref = m->clients[i].call;
        }
        m->clients[i] = (struct meeting_client){.conn = 0};
    }
    for (size_t i = 0; i < MEETING_AGENTS; i++) {
        for (size_t j = 0; j < MEETING_CALLS; j++) {
            const struct meeting_call *call = &m->agents[i].calls[j];
            if (call->ref.index != POOL_NONE && call->conn != 0) {
                meeting_plan(m, meeting_delay(m), CALL_ENDS, i)->ref = call->ref;
            }
        }
    }
}
