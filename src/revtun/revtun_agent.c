// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_agent.h"

#include <assert.h>
#include <string.h>

static void want(struct revtun_agent *agent, enum revtun_agent_command_type type)
{
    agent->pending |= UINT32_C(1) << type;
}

static bool is_legal(enum revtun_agent_state from, enum revtun_agent_state to)
{
    switch (to) {
    case REVTUN_AGENT_CONNECTING:
        return from == REVTUN_AGENT_WAITING;
    case REVTUN_AGENT_GREETING:
        return from == REVTUN_AGENT_CONNECTING;
    case REVTUN_AGENT_SERVING:
        return from == REVTUN_AGENT_GREETING;
    case REVTUN_AGENT_CLOSING:
        return from == REVTUN_AGENT_GREETING || from == REVTUN_AGENT_SERVING;
    case REVTUN_AGENT_WAITING:
    case REVTUN_AGENT_STOPPED:
        return from != REVTUN_AGENT_WAITING && from != REVTUN_AGENT_STOPPED;
    }
    return false;
}

static void enter(struct revtun_agent *agent, enum revtun_agent_state state)
{
    assert(is_legal(agent->state, state));
    agent->state = state;
    agent->deadline_ns = NEVER;
}

static void connect(struct revtun_agent *agent)
{
    enter(agent, REVTUN_AGENT_CONNECTING);
    agent->why = REVTUN_AGENT_LOST;
    want(agent, REVTUN_AGENT_CONNECT);
}

void revtun_agent_init(struct revtun_agent *agent, const struct revtun_agent_config *config)
{
    assert(config->connection_max >= 1);
    memset(agent, 0, sizeof *agent);
    agent->config = *config;
    connect(agent);
}

void revtun_agent_up(struct revtun_agent *agent, uint64_t now_ns)
{
    enter(agent, REVTUN_AGENT_GREETING);
    agent->deadline_ns = now_ns + REVTUN_AGENT_GREETING_NS;
    agent->public.is_known = false;
    agent->reverse.is_known = false;
    agent->is_crowded_told = false;
    agent->owed_count = 0;
    revtun_stream_init(&agent->stream);
}

// --- what the relay says -------------------------------------------------------------------------

static void hang_up(struct revtun_agent *agent, enum revtun_agent_why why)
{
    enter(agent, REVTUN_AGENT_CLOSING);
    agent->why = why;
    agent->pending = 0; // nobody is to be sent there any more
    want(agent, REVTUN_AGENT_CLOSE);
}

static void keep(struct revtun_agent_place *place, const struct revtun_line_address *address)
{
    assert(address->host.len <= sizeof place->text);
    place->is_known = true;
    place->text_len = (uint8_t)address->host.len;
    place->port = address->port;
    memcpy(place->text, address->host.ptr, address->host.len);
}

static struct revtun_line_address address_of(const struct revtun_agent_place *place)
{
    assert(place->is_known);
    return (struct revtun_line_address){{place->text, place->text_len}, place->port};
}

static void serve_if_greeted(struct revtun_agent *agent, uint64_t now_ns)
{
    if (agent->public.is_known && agent->reverse.is_known) {
        enter(agent, REVTUN_AGENT_SERVING);
        agent->has_served = true;
        agent->served_from_ns = now_ns;
        want(agent, REVTUN_AGENT_PUBLISH);
    }
}

static void announce(struct revtun_agent *agent)
{
    if (agent->owed_count < REVTUN_AGENT_OWED_MAX) {
        agent->owed_count++;
    }
    if (agent->connection_count + agent->owed_count > agent->config.connection_max &&
        !agent->is_crowded_told) {
        agent->is_crowded_told = true;
        want(agent, REVTUN_AGENT_CROWDED);
    }
}

// Where it listens is said once: what comes later says nothing new.
static void hear(struct revtun_agent *agent, uint64_t now_ns, struct bytes line)
{
    struct revtun_line_address address = {{0}, 0};
    const bool is_greeting = agent->state == REVTUN_AGENT_GREETING;

    switch (revtun_line_read(line, &address)) {
    case REVTUN_LINE_PUBLIC_LISTENER:
        if (is_greeting) {
            keep(&agent->public, &address);
            serve_if_greeted(agent, now_ns);
        }
        break;
    case REVTUN_LINE_REVERSE_LISTENER:
        if (is_greeting) {
            keep(&agent->reverse, &address);
            serve_if_greeted(agent, now_ns);
        }
        break;
    case REVTUN_LINE_NEW_CONNECTION:
        announce(agent);
        break;
    case REVTUN_LINE_NO_AVAILABLE_LISTENERS:
        hang_up(agent, REVTUN_AGENT_FULL);
        break;
    case REVTUN_LINE_BAD_ADDRESS:
        if (is_greeting) {
            hang_up(agent, REVTUN_AGENT_STRANGE);
        }
        break;
    case REVTUN_LINE_UNKNOWN:
        break;
    }
}

static bool is_listening(const struct revtun_agent *agent)
{
    return agent->state == REVTUN_AGENT_GREETING || agent->state == REVTUN_AGENT_SERVING;
}

void revtun_agent_read(struct revtun_agent *agent, uint64_t now_ns, struct bytes bytes)
{
    while (is_listening(agent)) {
        struct bytes line = {0};

        switch (revtun_stream_take(&agent->stream, &bytes, &line)) {
        case REVTUN_STREAM_LINE:
            hear(agent, now_ns, line);
            break;
        case REVTUN_STREAM_PART:
            return;
        case REVTUN_STREAM_LONG:
            hang_up(agent, REVTUN_AGENT_STRANGE);
            break;
        }
    }
}

// --- the end of a control connection -------------------------------------------------------------

static uint64_t next_wait(struct revtun_agent *agent, uint32_t random)
{
    const uint64_t grown = agent->interval_ns + agent->interval_ns / 2;

    agent->interval_ns = grown < REVTUN_AGENT_WAIT_FIRST_NS ? REVTUN_AGENT_WAIT_FIRST_NS : grown;
    if (agent->interval_ns > REVTUN_AGENT_WAIT_MAX_NS) {
        agent->interval_ns = REVTUN_AGENT_WAIT_MAX_NS;
    }
    // The interval takes 35 bits: with 16 of the number's there is room for the product.
    const uint64_t wait_ns = agent->interval_ns / 2 + ((agent->interval_ns * (random >> 16)) >> 16);
    return wait_ns < REVTUN_AGENT_WAIT_MAX_NS ? wait_ns : REVTUN_AGENT_WAIT_MAX_NS;
}

static bool is_to_come_again(const struct revtun_agent *agent)
{
    switch (agent->config.retry) {
    case REVTUN_AGENT_RETRY_NEVER:
        return false;
    case REVTUN_AGENT_RETRY_LOST:
        return agent->has_served;
    case REVTUN_AGENT_RETRY_ALWAYS:
        return true;
    }
    return false;
}

void revtun_agent_down(struct revtun_agent *agent, uint64_t now_ns, uint32_t random)
{
    const bool was_steady = agent->state == REVTUN_AGENT_SERVING &&
                            now_ns - agent->served_from_ns >= REVTUN_AGENT_STEADY_NS;

    agent->pending = 0; // all of it was about this control connection
    agent->owed_count = 0;
    if (agent->connection_count > 0) {
        want(agent, REVTUN_AGENT_ABANDON);
    }
    if (was_steady) {
        agent->interval_ns = 0;
    }
    if (!is_to_come_again(agent)) {
        enter(agent, REVTUN_AGENT_STOPPED);
        want(agent, REVTUN_AGENT_STOP);
        return;
    }
    enter(agent, REVTUN_AGENT_WAITING);
    agent->wait_ns = next_wait(agent, random);
    agent->deadline_ns = now_ns + agent->wait_ns;
    want(agent, REVTUN_AGENT_WAIT);
}

void revtun_agent_ended(struct revtun_agent *agent)
{
    assert(agent->connection_count > 0);
    agent->connection_count--;
}

void revtun_agent_tick(struct revtun_agent *agent, uint64_t now_ns)
{
    if (now_ns < agent->deadline_ns) {
        return;
    }
    if (agent->state == REVTUN_AGENT_WAITING) {
        connect(agent);
    } else {
        hang_up(agent, REVTUN_AGENT_SILENT);
    }
}

uint64_t revtun_agent_deadline(const struct revtun_agent *agent)
{
    return agent->deadline_ns;
}

// --- commands ------------------------------------------------------------------------------------

static bool take_dial(struct revtun_agent *agent, struct revtun_agent_command *out)
{
    if (agent->state != REVTUN_AGENT_SERVING || agent->owed_count == 0 ||
        agent->connection_count >= agent->config.connection_max) {
        return false;
    }
    agent->owed_count--;
    agent->connection_count++;
    *out = (struct revtun_agent_command){
        .type = REVTUN_AGENT_DIAL,
        .address = address_of(&agent->reverse),
    };
    return true;
}

bool revtun_agent_take(struct revtun_agent *agent, struct revtun_agent_command *out)
{
    for (uint32_t type = 0; type < REVTUN_AGENT_DIAL; type++) {
        if ((agent->pending & UINT32_C(1) << type) != 0) {
            agent->pending &= ~(UINT32_C(1) << type);
            *out = (struct revtun_agent_command){
                .type = (enum revtun_agent_command_type)type,
                .why = agent->why,
                .wait_ns = agent->wait_ns,
            };
            if (type == REVTUN_AGENT_PUBLISH) {
                out->address = address_of(&agent->public);
            }
            return true;
        }
    }
    return take_dial(agent, out);
}
