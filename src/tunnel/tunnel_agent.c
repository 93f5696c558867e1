// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_agent.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon_tell.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_random.h"

enum {
    HANDSHAKE_S = 30,
    CLOSING_S = 2,
    REFUSED_S = 1, // after a handshake that failed: the other side may still read our alert
    QUIET_S = 10,  // between two complaints about failed connections
};

// A reverse connection that is being dialled.
struct call {
    struct tunnel_dial dial;
    struct tunnel_agent *agent;
    struct tunnel_link link;
};

static void relay_write(const struct tunnel_agent *agent, char out[TUNNEL_PLACE_TEXT_MAX])
{
    tunnel_place_write(&agent->config.relay, out);
}

// --- the control connection ----------------------------------------------------------------------

static void lose_control(struct tunnel_agent *agent)
{
    uint32_t random = 0;

    tunnel_timers_clear(&agent->side->timers, &agent->control_timer);
    if (agent->is_ended) {
        return;
    }
    io_random_fill((uint8_t *)&random, sizeof random);
    revtun_agent_down(&agent->core, io_clock_mono_ns(), random);
}

static void set_control_timer(struct tunnel_agent *agent, uint64_t seconds)
{
    tunnel_timers_set(&agent->side->timers, &agent->control_timer,
                      io_clock_mono_ns() + seconds * SECOND_NS);
}

static void on_control_time(struct tunnel_timer *timer)
{
    struct tunnel_agent *agent = timer->context;

    io_tls_expire(&agent->control);
}

static void on_opened(struct io_tls *tls)
{
    struct tunnel_agent *agent = tls->context;

    tunnel_timers_clear(&agent->side->timers, &agent->control_timer);
    revtun_agent_up(&agent->core, io_clock_mono_ns());
}

static void on_received(struct io_tls *tls, struct bytes bytes)
{
    struct tunnel_agent *agent = tls->context;

    revtun_agent_read(&agent->core, io_clock_mono_ns(), bytes);
}

static void on_control_ended(struct io_tls *tls, const struct io_tls_end *end)
{
    struct tunnel_agent *agent = tls->context;
    char where[TUNNEL_PLACE_TEXT_MAX];
    const struct tunnel_words_whom whom = {
        .who = "relay",
        .where = where,
        .folder = agent->keys_text,
        .by_option = "--relay-name says what it must be for",
    };

    relay_write(agent, where);
    tunnel_words_of_end(&whom, end, agent->trouble);
    if (end->kind == IO_TLS_END_CUT && agent->core.state == REVTUN_AGENT_GREETING) {
        snprintf(agent->trouble, sizeof agent->trouble,
                 "the relay at %s hung up before it said where clients find us; perhaps it does "
                 "not accept our certificate, %s/client.crt.pem",
                 where, agent->keys_text);
    }
    lose_control(agent);
}

static const struct io_tls_events control_events = {
    .opened = on_opened,
    .received = on_received,
    .ended = on_control_ended,
};

static void on_dialled(struct tunnel_dial *dial, int fd)
{
    struct tunnel_agent *agent = dial->context;
    const struct io_tls_wanted wanted = {
        .host = agent->config.relay_name,
        .checks_host = agent->config.relay_name != NULL,
    };

    if (fd < 0) {
        char why[TUNNEL_DIAL_WHY_MAX];
        tunnel_dial_why(dial, why);
        snprintf(agent->trouble, sizeof agent->trouble, "the relay cannot be reached: %s", why);
        lose_control(agent);
        return;
    }
    agent->control.loop = &agent->side->loop;
    agent->control.events = &control_events;
    agent->control.context = agent;
    const int error = io_tls_connect(&agent->control, agent->certificates, fd, &wanted);
    if (error != 0) {
        snprintf(agent->trouble, sizeof agent->trouble, "TLS with the relay cannot begin: %s",
                 strerror(-error));
        io_fd_close(&fd);
        lose_control(agent);
        return;
    }
    agent->is_refused = false;
    set_control_timer(agent, HANDSHAKE_S);
}

// --- reverse connections -------------------------------------------------------------------------

static void forget(struct call *call)
{
    tunnel_list_remove(&call->link);
    free(call);
}

static void on_reverse(struct tunnel_dial *dial, int fd)
{
    struct call *call = dial->context;
    struct tunnel_agent *agent = call->agent;

    if (fd < 0) {
        char why[TUNNEL_DIAL_WHY_MAX];
        char words[TUNNEL_WORDS_MAX];
        tunnel_dial_why(dial, why);
        snprintf(words, sizeof words,
                 "a client was not reached at the relay's reverse port, as the relay announces it "
                 "(--myhost): %s",
                 why);
        tunnel_agent_complain(agent, words);
    }
    forget(call);
    if (fd < 0) {
        tunnel_agent_ended(agent);
    } else {
        agent->service.begin(agent->service.context, fd);
    }
}

// Calls that have a host that is not the announced one are over by then: ABANDON came before.
static void dial(struct tunnel_agent *agent, const struct revtun_line_address *address)
{
    struct call *call = calloc(1, sizeof *call);

    if (call == NULL ||
        !tunnel_names_set(&agent->reverse, &agent->side->names, address->host, address->port)) {
        tunnel_agent_complain(agent, "a client was not reached: no memory is left");
        free(call);
        tunnel_agent_ended(agent);
        return;
    }
    call->agent = agent;
    call->dial = (struct tunnel_dial){
        .timers = &agent->side->timers,
        .fn = on_reverse,
        .context = call,
    };
    tunnel_list_add(&agent->calls, &call->link, call);
    tunnel_dial_begin(&call->dial, &agent->reverse, io_clock_mono_ns());
}

// The machine is to hear of their ends, unless this is its own.
static void drop_calls(struct tunnel_agent *agent, bool is_told)
{
    struct call *call = NULL;

    while ((call = tunnel_list_first(&agent->calls)) != NULL) {
        tunnel_dial_stop(&call->dial);
        forget(call);
        if (is_told) {
            tunnel_agent_ended(agent);
        }
    }
}

// --- what the machine says -----------------------------------------------------------------------

static void publish(struct tunnel_agent *agent, const struct revtun_line_address *address)
{
    char text[sizeof agent->published];

    snprintf(text, sizeof text, "%.*s:%u", (int)address->host.len, (const char *)address->host.ptr,
             address->port);
    if (strcmp(text, agent->published) == 0) {
        daemon_tell_mistake(agent->side->program, "clients find it at %s again", text);
        return;
    }
    memcpy(agent->published, text, sizeof text);
    // Without standard output it serves all the same.
    IGNORE(daemon_tell(bytes_of_text(text)));
    IGNORE(daemon_tell(bytes_of_text("\n")));
}

static const char *why_words(struct tunnel_agent *agent, enum revtun_agent_why why)
{
    char where[TUNNEL_PLACE_TEXT_MAX];

    relay_write(agent, where);
    switch (why) {
    case REVTUN_AGENT_LOST:
        break; // it is there already
    case REVTUN_AGENT_FULL:
        snprintf(agent->trouble, sizeof agent->trouble,
                 "the relay at %s is full: all of its ports are taken (its --port-count says how "
                 "many it has)",
                 where);
        break;
    case REVTUN_AGENT_SILENT:
        snprintf(agent->trouble, sizeof agent->trouble,
                 "the relay at %s does not say where clients find us; perhaps it is something else",
                 where);
        break;
    case REVTUN_AGENT_STRANGE:
        snprintf(agent->trouble, sizeof agent->trouble,
                 "what answers at %s does not speak as a relay does", where);
        break;
    }
    return agent->trouble;
}

static void obey_one(struct tunnel_agent *agent, const struct revtun_agent_command *command,
                     uint64_t now_ns)
{
    const char *program = agent->side->program;

    switch (command->type) {
    case REVTUN_AGENT_ABANDON:
        drop_calls(agent, true);
        break;
    case REVTUN_AGENT_STOP:
        daemon_tell_mistake(program, "%s", why_words(agent, command->why));
        tunnel_side_over(agent->side, EXIT_FAILURE);
        break;
    case REVTUN_AGENT_WAIT:
        daemon_tell_mistake(program, "%s; trying again in %.1f s", why_words(agent, command->why),
                            (double)command->wait_ns / (double)SECOND_NS);
        break;
    case REVTUN_AGENT_CLOSE:
        io_tls_close(&agent->control);
        set_control_timer(agent, CLOSING_S);
        break;
    case REVTUN_AGENT_CONNECT:
        tunnel_dial_begin(&agent->dial, &agent->relay, now_ns);
        break;
    case REVTUN_AGENT_PUBLISH:
        publish(agent, &command->address);
        break;
    case REVTUN_AGENT_CROWDED:
        daemon_tell_mistake(program, "clients wait, since there are %u already (--max-sessions)",
                            agent->config.core.connection_max);
        break;
    case REVTUN_AGENT_DIAL:
        dial(agent, &command->address);
        break;
    }
}

static uint64_t on_turn(void *context, uint64_t now_ns)
{
    struct tunnel_agent *agent = context;
    struct revtun_agent_command command;

    if (agent->is_ended) {
        if (agent->control.state == IO_TLS_ENDED && agent->core.connection_count == 0) {
            tunnel_side_over(agent->side, EXIT_SUCCESS);
        }
        return NEVER;
    }
    if (agent->control.state == IO_TLS_LINGERING && !agent->is_refused &&
        agent->core.state == REVTUN_AGENT_CONNECTING) {
        agent->is_refused = true;
        set_control_timer(agent, REFUSED_S);
    }
    revtun_agent_tick(&agent->core, now_ns);
    while (!agent->side->is_over && revtun_agent_take(&agent->core, &command)) {
        obey_one(agent, &command, now_ns);
    }
    return revtun_agent_deadline(&agent->core);
}

// --- its life ------------------------------------------------------------------------------------

static void on_end(void *context)
{
    struct tunnel_agent *agent = context;

    agent->is_ended = true;
    tunnel_dial_stop(&agent->dial);
    drop_calls(agent, true);
    agent->service.end(agent->service.context);
    if (agent->control.state == IO_TLS_OPEN) {
        io_tls_close(&agent->control);
    } else {
        io_tls_abort(&agent->control);
    }
}

bool tunnel_agent_open(struct tunnel_agent *agent, struct tunnel_side *side,
                       const struct tunnel_agent_config *config,
                       const struct tunnel_service *service)
{
    agent->side = side;
    agent->config = *config;
    agent->service = *service;
    agent->control_timer = (struct tunnel_timer){.fn = on_control_time, .context = agent};
    agent->dial = (struct tunnel_dial){.timers = &side->timers, .fn = on_dialled, .context = agent};
    snprintf(agent->keys_text, sizeof agent->keys_text, "%.*s", (int)config->keys.len,
             (const char *)config->keys.ptr);
    if (!tunnel_side_certify(side, config->keys, IO_TLS_CLIENT, &agent->certificates)) {
        return false;
    }
    const bool is_set = tunnel_names_set(&agent->relay, &side->names,
                                         bytes_of_text(config->relay.host), config->relay.port);
    assert(is_set); // a place's host has room in a host
    revtun_agent_init(&agent->core, &config->core);
    side->context = agent;
    side->on_end = on_end;
    side->on_turn = on_turn;
    return true;
}

void tunnel_agent_close(struct tunnel_agent *agent)
{
    drop_calls(agent, false);
    tunnel_dial_stop(&agent->dial);
    io_tls_abort(&agent->control);
    io_tls_context_close(agent->certificates);
    agent->certificates = NULL;
}

void tunnel_agent_ended(struct tunnel_agent *agent)
{
    revtun_agent_ended(&agent->core);
}

void tunnel_agent_complain(struct tunnel_agent *agent, const char *words)
{
    const uint64_t now_ns = io_clock_mono_ns();

    if (now_ns >= agent->quiet_ns) {
        agent->quiet_ns = now_ns + QUIET_S * SECOND_NS;
        daemon_tell_mistake(agent->side->program, "%s", words);
    }
}
