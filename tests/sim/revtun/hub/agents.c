// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/hub/agents.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macro.h"
#include "sim/revtun/hub/judge.h"
#include "sim/revtun/hub/lines.h"

enum { LINES_AT_ONCE = 6 };

static const char long_name[] = "a-name-of-a-tunnel-that-is-as-long-as-a-label-of-a-host-name-ab";

static struct world_want any_want(struct world *w)
{
    static const char *const names[] = {"web", "web", "api", "api-2", "ssh", "db"};
    static const char *const hosts[] = {"a.test",
                                        "b.a.test",
                                        "*.a.test",
                                        "*.b.a.test",
                                        "*.test",
                                        "x.test,a.test",
                                        "*",
                                        "x.test",
                                        "c.b.a.test,c.b.a.test",
                                        "y.test,z.test",
                                        "yxa.test"};
    struct world_want want = {.name = names[world_below(w, COUNT_OF(names))]};

    want.is_sni = world_chance(w, 35);
    if (want.is_sni) {
        want.hosts = hosts[world_below(w, COUNT_OF(hosts))];
    } else if (world_chance(w, 30)) {
        want.port = (uint16_t)(WORLD_FIRST_PORT - 1 + world_below(w, ORACLE_PORTS + 2));
    }
    want.max = world_chance(w, 20) ? 1 + (uint32_t)world_below(w, 4) : 0;
    want.is_take = world_chance(w, 5);
    if (w->is_crowded) {
        want.name = world_chance(w, 50) ? long_name : want.name;
        want.max = 0;
        want.is_sni = true;
        want.hosts = world_chance(w, 70) ? "*.a.test" : "*";
    }
    return want;
}

void agents_found(struct world *w)
{
    for (size_t i = 0; i < WORLD_AGENTS; i++) {
        struct world_agent *agent = &w->agents[i];
        agent->owner = world_below(w, ORACLE_OWNERS);
        agent->secret = w->oracle.terms[agent->owner].secret;
        agent->is_liar = world_chance(w, 4);
        agent->instance = rng_next(&w->rng);
        agent->wire = ORACLE_NOBODY;
        agent->want_count = 1 + world_below(w, WORLD_WANTS);
        for (size_t j = 0; j < agent->want_count; j++) {
            agent->wants[j] = any_want(w);
        }
        agent->pool = world_chance(w, 50) ? (uint32_t)world_below(w, ORACLE_STANDS + 1) : 0;
        agent->cheat_percent = world_chance(w, 40) ? (unsigned)world_below(w, 40) : 0;
        agent->fail_percent = world_chance(w, 50) ? (unsigned)world_below(w, 40) : 0;
        if (w->is_crowded) {
            agent->owner = ORACLE_TOKENS - 1;
            agent->secret = w->oracle.terms[agent->owner].secret;
            agent->pool = 0;
            agent->cheat_percent = 3;
        }
        world_plan(w, world_below(w, 20 * SECOND_NS), AGENT_COMES, i);
    }
}

// --- its control connection ----------------------------------------------------------------------

static void open_wire(struct world *w, size_t place)
{
    struct world_agent *agent = &w->agents[place];
    const size_t index = w->oracle.link_count;
    struct world_wire *wire = &w->wires[index];
    const uint64_t conn = w->next_conn++;
    const uint8_t ip[ADDR_IP6_LEN] = {0x20, 0x01, 0x0d, 0xb8, [15] = (uint8_t)place};
    const struct addr peer = place % 2 == 0
                                 ? addr_ip4((const uint8_t[]){192, 0, 2, (uint8_t)place}, 50000)
                                 : addr_ip6(ip, 50000);
    uint8_t cert[REVTUN_ACCESS_HASH_LEN];
    // Even who has a token may show a certificate.
    const size_t shown = agent->owner >= ORACLE_TOKENS ? agent->owner : ORACLE_TOKENS;
    const bool has_cert = !agent->is_liar && (shown == agent->owner || world_chance(w, 20));

    memset(wire, 0, sizeof *wire);
    wire->conn = conn;
    wire->agent = place;
    rng_fill(&w->rng, wire->exported, sizeof wire->exported);
    rng_fill(&w->rng, wire->sid, sizeof wire->sid);
    memset(cert, (int)(shown + 1), sizeof cert);
    const struct revtun_hub_arrival arrival = {
        .conn = conn,
        .peer = peer,
        .exported = wire->exported,
        .sid = wire->sid,
        .cert = has_cert ? cert : NULL,
    };
    const bool is_in = oracle_up(&w->oracle, conn, &peer, has_cert ? shown : ORACLE_NOBODY);
    wire->is_up = is_in;
    wire->link = revtun_hub_link_up(w->hub, w->now, &arrival);
    if ((wire->link.index != POOL_NONE) != is_in) {
        world_fail(w, "a control connection is let in that is too many, or none");
    }
    agent->wire = is_in ? index : ORACLE_NOBODY;
    judge_event(w);
}

// Behind hello, or later, it binds what it wants.
static void say_hello(struct world *w, size_t place)
{
    struct world_agent *agent = &w->agents[place];
    const size_t wire = agent->wire;
    struct line *lines = calloc(LINES_AT_ONCE, sizeof *lines);
    size_t count = 1;

    assert(lines != NULL);
    lines_hello(w, agent, wire, &lines[0]);
    if (world_chance(w, 50)) {
        for (size_t i = 0; i < agent->want_count; i++) {
            lines_bind(w, agent, &agent->wants[i], &lines[count++]);
        }
    } else {
        for (size_t i = 0; i < agent->want_count; i++) {
            world_plan(w, world_below(w, 3 * SECOND_NS), WIRE_BINDS, wire)->want = i;
        }
    }
    lines_say(w, wire, lines, count);
    free(lines);
    if (w->oracle.links[wire].state == ORACLE_OPEN && w->oracle.links[wire].cert == agent->owner) {
        w->cover->seen[COVER_CERT]++;
    }
}

void agents_come(struct world *w, size_t place)
{
    struct world_agent *agent = &w->agents[place];

    if (agent->wire != ORACLE_NOBODY || w->oracle.link_count == ORACLE_LINKS) {
        return;
    }
    agent->is_stopped = false;
    if (world_chance(w, 20)) {
        agent->instance = rng_next(&w->rng); // the program has begun anew
    }
    if (world_chance(w, 30)) {
        agent->secret = w->oracle.terms[agent->owner].secret;
    }
    open_wire(w, place);
    if (agent->wire == ORACLE_NOBODY) {
        w->cover->seen[COVER_FULL]++;
        world_plan(w, world_below(w, 30 * SECOND_NS), AGENT_COMES, place);
        return;
    }
    const size_t wire = agent->wire;
    world_plan(w, world_below(w, 20) * world_below(w, 20 * SECOND_NS), AGENT_BREAKS, place)->conn =
        w->wires[wire].conn;
    world_plan(w, world_below(w, 10 * SECOND_NS), AGENT_ACTS, place)->conn = w->wires[wire].conn;
    if (world_chance(w, 20)) {
        world_plan(w, world_below(w, 60 * SECOND_NS), AGENT_STOPS, place)->conn =
            w->wires[wire].conn;
    }
    if (world_chance(w, 5)) {
        return; // it says nothing
    }
    if (world_chance(w, agent->cheat_percent / 2)) {
        struct line line;
        lines_wrong(w, agent, &line);
        lines_say(w, wire, &line, 1);
    }
    if (w->wires[wire].is_up && !w->wires[wire].is_cut) {
        say_hello(w, place);
    }
}

// For the agent it is over.
static void cut(struct world *w, size_t wire)
{
    struct world_agent *agent = &w->agents[w->wires[wire].agent];

    w->wires[wire].is_cut = true;
    if (agent->wire == wire) {
        agent->wire = ORACLE_NOBODY;
        world_plan(w,
                   world_chance(w, 50) ? world_below(w, SECOND_NS) : world_below(w, 40 * SECOND_NS),
                   AGENT_COMES, w->wires[wire].agent);
    }
}

void agents_are_closed(struct world *w, size_t wire)
{
    if (!w->wires[wire].is_up) {
        world_fail(w, "it is closed twice");
    }
    w->wires[wire].is_up = false;
    cut(w, wire);
}

void agents_break(struct world *w, size_t place)
{
    const size_t wire = w->agents[place].wire;

    cut(w, wire);
    if (world_chance(w, 60)) {
        world_plan(w, world_below(w, 2) * world_below(w, 60 * SECOND_NS), WIRE_ENDS, wire);
    }
}

void agents_stop(struct world *w, size_t place)
{
    w->agents[place].is_stopped = true;
    w->cover->seen[COVER_STOPPED]++;
    world_plan(w, world_below(w, 60 * SECOND_NS), AGENT_GOES_ON, place);
}

// --- what it is told -----------------------------------------------------------------------------

static void note_name(struct world *w, size_t index, const char *line, bool is_bound)
{
    struct world_wire *wire = &w->wires[index];
    char name[64] = "";

    sscanf(strstr(line, " name=") + strlen(" name="), "%63[^ \r]", name);
    for (size_t i = 0; i < WORLD_NAMES; i++) {
        const bool is_it = strcmp(wire->names[i], name) == 0;
        if (is_it && !is_bound) {
            wire->names[i][0] = 0;
        }
        if (is_bound && (is_it || wire->names[i][0] == 0)) {
            memcpy(wire->names[i], name, sizeof name);
            return;
        }
    }
}

static bool has_name(const struct world_wire *wire, const char *line)
{
    char name[64] = "";

    sscanf(strstr(line, " name=") + strlen(" name="), "%63[^ \r]", name);
    for (size_t i = 0; i < WORLD_NAMES; i++) {
        if (strcmp(wire->names[i], name) == 0) {
            return true;
        }
    }
    return false;
}

void agents_are_told(struct world *w, size_t index, const char *line)
{
    struct world_wire *wire = &w->wires[index];

    if (strncmp(line, "bound ", strlen("bound ")) == 0) {
        note_name(w, index, line, true);
    } else if (strncmp(line, "unbound ", strlen("unbound ")) == 0) {
        note_name(w, index, line, false);
    } else if (strncmp(line, "new_connection ", strlen("new_connection ")) == 0 &&
               !has_name(wire, line)) {
        world_fail(w, "it has not bound the name: %s", line);
    }
    if (wire->is_cut) {
        return; // it goes to nobody
    }
    wire->unread_len += strlen(line);
    if (wire->unread_len > WORLD_UNREAD_MAX && !wire->has_flooded) {
        world_fail(w, "%zu bytes are unread", wire->unread_len);
    }
    const uint64_t at_ns = w->now.mono_ns + 1 + world_below(w, 200 * MS);
    wire->heard_ns = at_ns > wire->heard_ns ? at_ns : wire->heard_ns + 1;
    struct world_event *event = world_plan(w, wire->heard_ns - w->now.mono_ns, WIRE_HEARS, index);
    event->text = strdup(line);
    assert(event->text != NULL);
}

// --- what it does then ---------------------------------------------------------------------------

static void say_one(struct world *w, size_t wire, struct line *line)
{
    lines_say(w, wire, line, 1);
}

// A data connection for an id, or none.
static void answer(struct world *w, size_t wire, uint64_t id, uint8_t type)
{
    const struct world_agent *agent = &w->agents[w->wires[wire].agent];
    struct line line;

    if (world_chance(w, agent->fail_percent)) {
        if (world_chance(w, 60)) {
            lines_refuse(w, id, &line);
            w->cover->seen[COVER_REFUSED_STANDBY] += type == 2;
            say_one(w, wire, &line);
        }
        return;
    }
    const uint64_t slow_ns = world_chance(w, 10) ? world_below(w, 25 * SECOND_NS) : 0;
    struct world_event *event = world_plan(w, world_below(w, 300 * MS) + slow_ns, DATA_COMES, wire);
    event->id = id;
    event->type = type;
    if (world_chance(w, agent->cheat_percent)) {
        event->forgery = (enum world_forgery)world_below(w, FORGERY_KINDS);
    }
}

void agents_hear(struct world *w, size_t index, const char *text)
{
    struct world_wire *wire = &w->wires[index];
    const struct world_agent *agent = &w->agents[wire->agent];
    struct line line;
    uint64_t number = 0;

    wire->unread_len -= strlen(text);
    if (sscanf(text, "new_connection id=%" SCNu64, &number) == 1) {
        answer(w, index, number, 1);
    } else if (sscanf(text, "standby id=%" SCNu64, &number) == 1) {
        answer(w, index, number, 2);
    } else if (sscanf(text, "ping n=%" SCNu64, &number) == 1) {
        lines_pong(number, &line);
        say_one(w, index, &line);
    } else if (strncmp(text, "error ", strlen("error ")) == 0 && strstr(text, " retry=") != NULL) {
        number = strtoull(strstr(text, " retry=") + strlen(" retry="), NULL, 10);
        world_plan(w, number * SECOND_NS + world_below(w, SECOND_NS), WIRE_BINDS, index)->want =
            world_below(w, agent->want_count);
    } else if (strncmp(text, "drain ", strlen("drain ")) == 0 && world_chance(w, 50)) {
        lines_bye(w, &line);
        say_one(w, index, &line);
    }
}

void agents_bind(struct world *w, size_t wire, size_t want)
{
    struct world_agent *agent = &w->agents[w->wires[wire].agent];
    struct line line;

    lines_bind(w, agent, &agent->wants[want], &line);
    say_one(w, wire, &line);
}

// Many requests in one piece, of which it reads no answer yet.
static void flood(struct world *w, size_t place)
{
    struct world_agent *agent = &w->agents[place];
    const size_t wire = agent->wire;
    struct line *lines = calloc(LINES_AT_ONCE, sizeof *lines);

    assert(lines != NULL);
    w->wires[wire].has_flooded = true;
    for (size_t i = 0; i < LINES_AT_ONCE; i++) {
        if (world_chance(w, 40)) {
            const struct world_want want = any_want(w);
            lines_bind(w, agent, &want, &lines[i]);
        } else if (world_chance(w, 50)) {
            lines_unbind(w, agent, any_want(w).name, &lines[i]);
        } else {
            lines_refuse(w, world_below(w, 1000), &lines[i]);
        }
    }
    lines_say(w, wire, lines, LINES_AT_ONCE);
    free(lines);
}

void agents_act(struct world *w, size_t place)
{
    struct world_agent *agent = &w->agents[place];
    const size_t wire = agent->wire;
    const uint64_t conn = w->wires[wire].conn;
    struct line line;

    if (world_chance(w, agent->cheat_percent)) {
        if (world_chance(w, 10)) {
            flood(w, place);
        } else {
            lines_wrong(w, agent, &line);
            say_one(w, wire, &line);
        }
    } else if (world_chance(w, 40)) {
        const struct world_want want = any_want(w);
        lines_bind(w, agent, &want, &line);
        say_one(w, wire, &line);
    } else if (world_chance(w, 20)) {
        lines_unbind(w, agent, any_want(w).name, &line);
        say_one(w, wire, &line);
    } else if (world_chance(w, 5)) {
        lines_bye(w, &line);
        say_one(w, wire, &line);
    } else if (w->is_crowded && world_chance(w, 50)) {
        lines_refuse(w, 0, &line); // nobody's, even while clients have no id
        say_one(w, wire, &line);
    } else {
        lines_ping(w, &line);
        say_one(w, wire, &line);
    }
    world_plan(w, world_below(w, 30 * SECOND_NS), AGENT_ACTS, place)->conn = conn;
}

// --- data connections ----------------------------------------------------------------------------

// Some id that was told to somebody else.
static uint64_t stolen_id(struct world *w, size_t wire)
{
    for (size_t i = 0; i < w->oracle.client_count; i++) {
        const struct oracle_client *client = &w->oracle.clients[i];
        if (client->state == ORACLE_WAITS && client->id != 0 &&
            w->oracle.services[client->service].link != wire) {
            return client->id;
        }
    }
    return 1 << 24;
}

// Writes a preface. Returns the link of which it is authentic.
static size_t forge(struct world *w, const struct world_event *event,
                    uint8_t raw[SEALS_PREFACE_LEN])
{
    const struct world_wire *wire = &w->wires[event->who];
    const struct world_wire *other = &w->wires[world_below(w, w->oracle.link_count)];
    const uint8_t type = event->forgery == FORGERY_TYPE ? 3 - event->type : event->type;
    const uint64_t id = event->forgery == FORGERY_THEFT ? stolen_id(w, event->who) : event->id;
    const bool is_other_sid = event->forgery == FORGERY_SID && other != wire;

    seals_preface(type, is_other_sid ? other->sid : wire->sid, id, wire->exported, raw);
    switch (event->forgery) {
    case FORGERY_MAC:
        raw[world_below(w, 8) + (world_chance(w, 50) ? 24 : 56)] ^= 1;
        return ORACLE_NOBODY;
    case FORGERY_FORM: {
        // Where the MAC covers it, it is right.
        const uint8_t form[] = {'t', 'R', 'D', '2', 3, 1, 1, 1};
        uint8_t bytes[SEALS_PREFACE_LEN];
        const size_t at = world_below(w, sizeof form);
        seals_preface(at == 4 ? form[at] : type, wire->sid, id, wire->exported, bytes);
        memcpy(raw, bytes, sizeof bytes);
        raw[at] = form[at] != raw[at] || at == 4 ? form[at] : 0;
        return ORACLE_NOBODY;
    }
    case FORGERY_SID:
        return is_other_sid ? ORACLE_NOBODY : event->who;
    case FORGERY_NONE:
    case FORGERY_TYPE:
    case FORGERY_THEFT:
    case FORGERY_REPLAY:
    case FORGERY_KINDS:
        break;
    }
    return event->who;
}

static void dial(struct world *w, const struct world_event *event, const uint8_t *raw, size_t link)
{
    const enum revtun_message_data data = w->config.data;
    const bool is_usual = world_chance(w, 95);
    const bool is_tls = data == REVTUN_MESSAGE_DATA_ANY
                            ? world_chance(w, 50)
                            : (data == REVTUN_MESSAGE_DATA_TLS) == is_usual;
    const uint64_t conn = w->next_conn++;

    w->cover->seen[COVER_WRONG_TLS] += data != REVTUN_MESSAGE_DATA_ANY && !is_usual;
    const bool stands = oracle_data(&w->oracle, conn, link, raw, is_tls);
    w->cover->seen[COVER_LATE] += event->forgery == FORGERY_NONE && is_usual &&
                                  w->oracle.expected_count == 1 &&
                                  strncmp(w->oracle.expected[0], "reset ", 6) == 0;
    const struct pool_ref ref = revtun_hub_data(w->hub, w->now, conn, raw, is_tls);
    if ((ref.index != POOL_NONE) != stands) {
        world_fail(w, "data connection %" PRIu64 " stands by, or does not", conn);
    }
    judge_event(w);
    if (stands && world_chance(w, 40)) {
        struct world_event *end = world_plan(w, world_below(w, 30 * SECOND_NS), STANDING_ENDS, 0);
        end->conn = conn;
        end->ref = ref;
    }
}

void agents_dial(struct world *w, const struct world_event *event)
{
    uint8_t raw[SEALS_PREFACE_LEN];
    const size_t link = forge(w, event, raw);

    if (event->forgery != FORGERY_NONE) {
        w->cover->seen[COVER_FORGERY_MAC + event->forgery - FORGERY_MAC]++;
    }
    dial(w, event, raw, link);
    if (event->forgery == FORGERY_REPLAY) {
        dial(w, event, raw, link);
    }
}
