// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_expose.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/daemon_tell.h"
#include "io/io_clock.h"
#include "io/io_pump.h"
#include "io/io_tcp.h"
#include "tunnel/tunnel_agent.h"
#include "tunnel/tunnel_service_options.h"
#include "tunnel/tunnel_spoke.h"

struct expose {
    struct tunnel_side side;
    struct tunnel_agent agent;
    struct tunnel_host target;
    struct tunnel_list sessions;
};

// A client, and what it wants: first the target is dialled, then bytes go both ways.
struct session {
    struct expose *expose;
    struct tunnel_link link;
    int reverse_fd;          // while it dials
    struct tunnel_dial dial; // of the target
    struct io_pump pump;     // from the client (A) to the target (B) and back
};

static void forget(struct session *session)
{
    struct expose *expose = session->expose;

    tunnel_list_remove(&session->link);
    free(session);
    tunnel_agent_ended(&expose->agent);
}

static void on_pumped(struct io_pump *pump, enum io_pump_why why)
{
    (void)why; // whatever it was, both sides have seen it
    forget(pump->context);
}

static void on_dialled(struct tunnel_dial *dial, int fd)
{
    struct session *session = dial->context;
    struct expose *expose = session->expose;
    const int reverse_fd = session->reverse_fd;

    session->reverse_fd = -1;
    if (fd < 0) {
        char why[TUNNEL_DIAL_WHY_MAX];
        char words[TUNNEL_WORDS_MAX];
        tunnel_dial_why(dial, why);
        snprintf(words, sizeof words,
                 "a client was turned away, since the service is not there: %s", why);
        tunnel_agent_complain(&expose->agent, words);
        session->reverse_fd = reverse_fd;
        io_tcp_reset(&session->reverse_fd); // nothing was served, as the client is to see
        forget(session);
        return;
    }
    session->pump = (struct io_pump){.on_end = on_pumped, .context = session};
    if (io_pump_start(&expose->side.pumps, &session->pump, io_stream_plain(reverse_fd),
                      io_stream_plain(fd), (struct bytes){0}) != 0) {
        tunnel_agent_complain(&expose->agent, "a client was turned away: no memory is left");
        forget(session);
    }
}

static void begin(void *context, int fd)
{
    struct expose *expose = context;
    struct session *session = calloc(1, sizeof *session);

    if (session == NULL) {
        tunnel_agent_complain(&expose->agent, "a client was turned away: no memory is left");
        io_tcp_reset(&fd);
        tunnel_agent_ended(&expose->agent);
        return;
    }
    session->expose = expose;
    session->reverse_fd = fd;
    tunnel_list_add(&expose->sessions, &session->link, session);
    session->dial = (struct tunnel_dial){
        .timers = &expose->side.timers,
        .fn = on_dialled,
        .context = session,
    };
    tunnel_dial_begin(&session->dial, &expose->target, io_clock_mono_ns());
}

// Ends one that only dials; those that pump have what is on its way delivered first.
static bool drop_if_dialling(struct session *session)
{
    if (session->reverse_fd < 0) {
        return false;
    }
    tunnel_dial_stop(&session->dial);
    io_tcp_reset(&session->reverse_fd);
    forget(session);
    return true;
}

static void end(void *context)
{
    struct expose *expose = context;
    struct session *next = NULL;

    for (struct session *one = tunnel_list_first(&expose->sessions); one != NULL; one = next) {
        next = tunnel_list_next(&one->link);
        if (!drop_if_dialling(one)) {
            io_pump_end(&one->pump, io_clock_mono_ns());
        }
    }
}

static void cut_all(struct expose *expose)
{
    struct session *session = NULL;

    while ((session = tunnel_list_first(&expose->sessions)) != NULL) {
        if (!drop_if_dialling(session)) {
            io_pump_cut(&session->pump);
            forget(session);
        }
    }
}

static void run_first(struct expose *expose, struct tunnel_service_config *config)
{
    const struct tunnel_service service = {.begin = begin, .end = end, .context = expose};
    const bool is_set = tunnel_names_set(&expose->target, &expose->side.names,
                                         bytes_of_text(config->target.host), config->target.port);

    assert(is_set); // a place's host has room in a host
    if (tunnel_agent_open(&expose->agent, &expose->side, &config->agent, &service)) {
        tunnel_side_run(&expose->side);
    } else {
        daemon_tell_mistake(expose->side.program, "no token is given (--token, --token-file), and "
                                                  "without one the relay wants a certificate");
    }
    cut_all(expose);
    tunnel_agent_close(&expose->agent);
}

static void run_second(struct expose *expose, struct tunnel_service_config *config)
{
    static struct tunnel_spoke spoke;

    if (tunnel_spoke_open(&spoke, &expose->side, &config->spoke)) {
        tunnel_side_run(&expose->side);
    }
    tunnel_spoke_close(&spoke);
    revtun_token_deinit(&config->spoke.token);
}

int tunnel_expose(const struct daemon_load_sources *sources)
{
    static struct expose expose;
    static struct tunnel_service_config config;
    const struct conf_program program = {
        .name = "fairlead-tunnel expose",
        .summary = "Makes a service reachable through a relay: clients that connect to the address "
                   "that the first line of its output says are connected to the service.",
        .note = "Exit status: 0 it was told to end, 1 the relay cannot be reached or does not want "
                "it, 2 something is wrong with the options, 3 another process has taken its name.",
    };
    int status = EXIT_FAILURE;

    if (!tunnel_service_options_read(sources, &tunnel_service_options_expose, &program, &config,
                                     &status)) {
        return status;
    }
    expose.side.status = EXIT_FAILURE;
    const uint32_t max = config.is_second ? revtun_spoke_call_max(&config.spoke.core)
                                          : config.agent.core.connection_max;
    if (tunnel_side_open(&expose.side, program.name, max)) {
        if (config.is_second) {
            run_second(&expose, &config);
        } else {
            run_first(&expose, &config);
        }
    }
    tunnel_side_close(&expose.side);
    return expose.side.status;
}
