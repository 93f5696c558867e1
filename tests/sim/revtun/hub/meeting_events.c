// SPDX-License-Identifier: Apache-2.0
// What happens between a hub and its agents.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "sim/revtun/hub/meeting.h"

// --- control connections -------------------------------------------------------------------------

static bool is_up_for_spoke(const struct meeting *m, size_t wire)
{
    return m->agents[m->wires[wire].agent].wires[m->wires[wire].link] == wire;
}

static void spoke_down(struct meeting *m, size_t place)
{
    struct meeting_wire *wire = &m->wires[place];
    struct meeting_agent *agent = &m->agents[wire->agent];

    if (is_up_for_spoke(m, place)) {
        agent->wires[wire->link] = MEETING_NONE;
        revtun_spoke_down(agent->spoke, m->now.mono_ns, wire->link);
        meeting_obey_spoke(m, wire->agent);
    }
}

static void hub_down(struct meeting *m, size_t place)
{
    struct meeting_wire *wire = &m->wires[place];

    if (wire->is_up) {
        wire->is_up = false;
        revtun_hub_link_down(m->hub, m->now, wire->ref);
        meeting_obey_hub(m);
    }
}

static void connected(struct meeting *m, size_t place)
{
    struct meeting_wire *wire = &m->wires[place];
    struct meeting_agent *agent = &m->agents[wire->agent];
    uint8_t exported[REVTUN_SECRETS_EXPORT_LEN];
    uint8_t sid[REVTUN_MESSAGE_SID_LEN];

    if (m->is_outage || meeting_fails(m, 20)) {
        spoke_down(m, place);
        return;
    }
    rng_fill(&m->rng, exported, sizeof exported);
    rng_fill(&m->rng, sid, sizeof sid);
    const struct revtun_hub_arrival arrival = {
        .conn = wire->conn,
        .peer = addr_ip4((const uint8_t[]){192, 0, 2, (uint8_t)(wire->agent + 1)}, 50000),
        .exported = exported,
        .sid = sid,
    };
    wire->is_up = true; // or it is closed at once
    wire->ref = revtun_hub_link_up(m->hub, m->now, &arrival);
    meeting_obey_hub(m);
    revtun_spoke_up(agent->spoke, m->now.mono_ns, wire->link, exported);
    meeting_obey_spoke(m, wire->agent);
    if (!m->is_calm) {
        meeting_plan(m, meeting_below(m, 100 * SECOND_NS), BREAKS, place);
    }
}

// Each end learns of it, or does not: then it is found by silence.
static void breaks(struct meeting *m, size_t place)
{
    m->wires[place].is_broken = true;
    m->loss_count++;
    if (meeting_fails(m, 60)) {
        meeting_plan(m, meeting_delay(m), HUB_DOWN, place);
    }
    if (meeting_fails(m, 60)) {
        meeting_plan(m, meeting_delay(m), SPOKE_DOWN, place);
    }
}

static void hub_reads(struct meeting *m, const struct meeting_event *event)
{
    const struct meeting_wire *wire = &m->wires[event->who];
    struct bytes received = {event->bytes, event->len};

    while (received.len > 0 && wire->is_up && !wire->is_broken) {
        revtun_hub_link_read(m->hub, m->now, wire->ref, &received);
        meeting_obey_hub(m);
    }
}

static void spoke_reads(struct meeting *m, const struct meeting_event *event)
{
    struct meeting_wire *wire = &m->wires[event->who];
    struct bytes received = {event->bytes, event->len};

    if (wire->is_broken) {
        return;
    }
    wire->unread_len -= event->len;
    while (received.len > 0 && is_up_for_spoke(m, event->who)) {
        revtun_spoke_read(m->agents[wire->agent].spoke, m->now.mono_ns, wire->link, &received);
        meeting_obey_spoke(m, wire->agent);
    }
}

// --- data connections ----------------------------------------------------------------------------

static void dialled(struct meeting *m, const struct meeting_event *event)
{
    struct meeting_call *call = meeting_call(m, event->who, event->ref);
    struct revtun_spoke *spoke = m->agents[event->who].spoke;

    if (call == NULL) {
        return;
    }
    if (meeting_fails(m, 15)) {
        call->ref.index = POOL_NONE;
        revtun_spoke_failed(spoke, m->now.mono_ns, event->ref, REVTUN_MESSAGE_CODE_UNREACHABLE,
                            bytes_of_text("Connection refused"));
        meeting_obey_spoke(m, event->who);
        return;
    }
    if (!call->is_stand) {
        call->runs = true;
        revtun_spoke_joined(spoke, event->ref);
        meeting_obey_spoke(m, event->who);
    }
    meeting_plan(m, meeting_delay(m), DATA_COMES, event->who)->ref = event->ref;
}

static void data_comes(struct meeting *m, const struct meeting_event *event)
{
    struct meeting_call *call = meeting_call(m, event->who, event->ref);

    if (call == NULL) {
        return;
    }
    call->conn = ++m->next_conn;
    m->data_conn = call->conn;
    m->is_data_settled = false;
    const struct pool_ref stand =
        revtun_hub_data(m->hub, m->now, call->conn, call->preface, meeting_below(m, 2) == 0);
    meeting_obey_hub(m);
    meeting_hold(m, m->is_data_settled == (stand.index == POOL_NONE),
                 "a data connection stands by, is joined, or is reset");
    m->data_conn = 0;
    call = meeting_call(m, event->who, event->ref);
    if (call != NULL) {
        call->stand = stand;
        call->has_client = call->has_client || (!call->is_stand && stand.index == POOL_NONE);
    }
}

// In two pieces.
static void head_comes(struct meeting *m, const struct meeting_event *event)
{
    const struct meeting_call *call = meeting_call(m, event->who, event->ref);
    struct revtun_spoke *spoke = m->agents[event->who].spoke;
    const size_t first = meeting_below(m, event->len);
    size_t len = 0;

    if (call == NULL) {
        return;
    }
    enum revtun_head_outcome outcome =
        revtun_spoke_head(spoke, event->ref, (struct bytes){event->bytes, first}, &len);
    meeting_hold(m, outcome == REVTUN_HEAD_PART, "the head is not whole");
    outcome = revtun_spoke_head(spoke, event->ref, (struct bytes){event->bytes, event->len}, &len);
    meeting_hold(m, outcome == REVTUN_HEAD_WHOLE && len == event->len, "the head is the hub's");
    meeting_obey_spoke(m, event->who);
    call = meeting_call(m, event->who, event->ref);
    for (size_t i = 0; call != NULL && i < MEETING_CLIENTS; i++) {
        meeting_hold(
            m, m->clients[i].conn != event->life || addr_equal(&m->clients[i].src, &call->src),
            "the head is of this client");
    }
}

static void call_ends(struct meeting *m, const struct meeting_event *event)
{
    struct meeting_call *call = meeting_call(m, event->who, event->ref);

    if (call != NULL) {
        call->ref.index = POOL_NONE;
        revtun_spoke_ended(m->agents[event->who].spoke, event->ref);
    }
}

// --- clients -------------------------------------------------------------------------------------

void meeting_end_client(struct meeting *m, struct meeting_client *client)
{
    struct meeting_call *call =
        client->is_joined ? meeting_call(m, client->agent, client->call) : NULL;
    const struct pool_ref ref = client->ref;

    if (call != NULL) {
        meeting_plan(m, meeting_delay(m), CALL_ENDS, client->agent)->ref = call->ref;
    }
    *client = (struct meeting_client){.conn = 0};
    revtun_hub_gone(m->hub, m->now, ref);
    meeting_obey_hub(m);
}

static void client_comes(struct meeting *m)
{
    struct meeting_client *client = m->clients;

    if (!m->is_calm) {
        const uint64_t pause_ns = meeting_below(m, 10) == 0 ? 10 * SECOND_NS : SECOND_NS;
        meeting_plan(m, meeting_below(m, pause_ns), CLIENT_COMES, 0);
    }
    while (client < m->clients + MEETING_CLIENTS && client->conn != 0) {
        client++;
    }
    if (client == m->clients + MEETING_CLIENTS) {
        return;
    }
    const uint64_t conn = ++m->next_conn;
    const uint16_t port = (uint16_t)(MEETING_PORT + meeting_below(m, MEETING_PORTS));
    const struct revtun_hub_client arrival = {
        .conn = conn,
        .from = addr_ip4((const uint8_t[]){198, 51, 100, 7}, (uint16_t)(1024 + conn % 60000)),
        .dst = addr_ip4((const uint8_t[]){203, 0, 113, 1}, port),
    };
    *client = (struct meeting_client){.conn = conn, .src = arrival.from, .port = port};
    const struct pool_ref ref = revtun_hub_client(m->hub, m->now, &arrival);
    client->ref = ref;
    meeting_obey_hub(m);
    if (client->conn == conn && meeting_fails(m, 20)) {
        meeting_plan(m, meeting_below(m, 20 * SECOND_NS), CLIENT_GOES,
                     (size_t)(client - m->clients))
            ->life = conn;
    }
}

// --- the hub -------------------------------------------------------------------------------------

static void drains(struct meeting *m)
{
    for (size_t i = 0; i < m->wire_count; i++) {
        m->wires[i].is_draining =
            m->wires[i].is_up && m->agents[m->wires[i].agent].wires[m->wires[i].link] == i;
    }
    revtun_hub_drain(m->hub, m->now, 10);
    meeting_obey_hub(m);
    meeting_plan(m, 10 * SECOND_NS + meeting_below(m, 5 * SECOND_NS), RESTARTS, 0);
}

static void restarts(struct meeting *m)
{
    uint8_t text[MEETING_PORTS * REVTUN_NAMES_LINE_MAX];
    struct wr wr = wr_init(text, sizeof text);

    revtun_names_write(revtun_hub_names(m->hub), m->now.wall_s, &wr);
    meeting_hold(m, wr_ok(&wr), "the leases fit");
    meeting_lose_all(m);
    free(m->hub);
    meeting_open_hub(m, wr_done(&wr));
    m->restart_count++;
}

// --- all -----------------------------------------------------------------------------------------

void meeting_happen(struct meeting *m, const struct meeting_event *event)
{
    switch (event->kind) {
    case CONNECTED:
        connected(m, event->who);
        return;
    case TO_HUB:
        hub_reads(m, event);
        return;
    case TO_SPOKE:
        spoke_reads(m, event);
        return;
    case HUB_DOWN:
        hub_down(m, event->who);
        return;
    case SPOKE_DOWN:
        spoke_down(m, event->who);
        return;
    case BREAKS:
        breaks(m, event->who);
        return;
    case DIALLED:
        dialled(m, event);
        return;
    case DATA_COMES:
        data_comes(m, event);
        return;
    case HEAD_COMES:
        head_comes(m, event);
        return;
    case CALL_ENDS:
        call_ends(m, event);
        return;
    case STAND_ENDS:
        revtun_hub_standing_gone(m->hub, m->now, event->ref);
        meeting_obey_hub(m);
        return;
    case CLIENT_COMES:
        client_comes(m);
        return;
    case CLIENT_GOES:
        if (m->clients[event->who].conn == event->life) {
            meeting_end_client(m, &m->clients[event->who]);
        }
        return;
    case DRAINS:
        drains(m);
        return;
    case RESTARTS:
        restarts(m);
        return;
    case MEETING_KINDS:
        return;
    }
}
