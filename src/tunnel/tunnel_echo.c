// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_echo.h"

#include <errno.h>
#include <stdlib.h>

#include "tunnel/tunnel_service_options.h"
#include "tunnel/tunnel_visitors.h"

// As long as so much waits to be sent back, nothing more is read.
enum { WAITING_MAX = IO_TLS_QUEUE_MAX - IO_TLS_RECEIVE_MAX };

// Clients may be silent for as long as they like; what is sent back they have to take.
static void opened(struct tunnel_visitor *visitor)
{
    tunnel_visitors_rest(visitor);
}

static void received(struct tunnel_visitor *visitor, struct bytes bytes)
{
    const int error = io_tls_send(&visitor->tls, bytes);

    if (error == -ENOMEM) {
        io_tls_expire(&visitor->tls); // rather than to leave something out
        return;
    }
    // Otherwise it fails only with a connection that has ended, as is told then.
    const uint32_t waiting = io_tls_queued(&visitor->tls);
    if (waiting > WAITING_MAX) {
        io_tls_pause(&visitor->tls);
    }
    if (waiting > 0) {
        tunnel_visitors_wait(visitor);
    }
}

static void drained(struct tunnel_visitor *visitor)
{
    tunnel_visitors_rest(visitor);
    if (io_tls_resume(&visitor->tls) != 0) {
        tunnel_visitors_leave(visitor);
    }
}

static void half_closed(struct tunnel_visitor *visitor)
{
    tunnel_visitors_leave(visitor);
}

static const struct tunnel_visitors_events events = {
    .opened = opened,
    .received = received,
    .drained = drained,
    .half_closed = half_closed,
};

int tunnel_echo(const struct daemon_load_sources *sources)
{
    static struct tunnel_side side;
    static struct tunnel_agent agent;
    static struct tunnel_visitors visitors;
    static struct tunnel_service_config config;
    const struct conf_program program = {
        .name = tunnel_side_name(sources, "fairlead-tunnel echo"),
        .summary = "Sends back what its clients send, who come through a relay. The first line "
                   "that it writes says where they find it. TLS is spoken with them from end to "
                   "end.",
    };
    int status = EXIT_FAILURE;

    if (!tunnel_service_options_read(sources, &tunnel_service_options_little, &program, &config,
                                     &status)) {
        return status;
    }
    const struct tunnel_service service = tunnel_visitors_service(&visitors);
    side.status = EXIT_FAILURE;
    if (tunnel_side_open(&side, program.name, config.agent.core.connection_max) &&
        tunnel_visitors_open(&visitors, &side, &agent, config.application, &events) &&
        tunnel_agent_open(&agent, &side, &config.agent, &service)) {
        tunnel_side_run(&side);
    }
    tunnel_visitors_close(&visitors);
    tunnel_agent_close(&agent);
    tunnel_side_close(&side);
    return side.status;
}
