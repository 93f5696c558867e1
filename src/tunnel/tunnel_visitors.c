// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_visitors.h"

#include <stdlib.h>

#include "io/io_clock.h"
#include "io/io_fd.h"

static void forget(struct tunnel_visitor *visitor)
{
    struct tunnel_visitors *visitors = visitor->visitors;

    if (visitors->events->ended != NULL) {
        visitors->events->ended(visitor);
    }
    tunnel_timers_clear(&visitors->side->timers, &visitor->timer);
    tunnel_list_remove(&visitor->link);
    free(visitor);
    tunnel_agent_ended(visitors->agent);
}

static void on_time(struct tunnel_timer *timer)
{
    struct tunnel_visitor *visitor = timer->context;

    io_tls_expire(&visitor->tls);
}

static void on_opened(struct io_tls *tls)
{
    struct tunnel_visitor *visitor = tls->context;

    tunnel_visitors_rest(visitor);
    visitor->visitors->events->opened(visitor);
}

static void on_received(struct io_tls *tls, struct bytes bytes)
{
    struct tunnel_visitor *visitor = tls->context;

    visitor->visitors->events->received(visitor, bytes);
}

static void on_drained(struct io_tls *tls)
{
    struct tunnel_visitor *visitor = tls->context;

    visitor->visitors->events->drained(visitor);
}

static void on_half_closed(struct io_tls *tls)
{
    struct tunnel_visitor *visitor = tls->context;

    visitor->visitors->events->half_closed(visitor);
}

static void on_ended(struct io_tls *tls, const struct io_tls_end *end)
{
    (void)end; // strangers come and go, with and without a word
    forget(tls->context);
}

static const struct io_tls_events tls_events = {
    .opened = on_opened,
    .received = on_received,
    .half_closed = on_half_closed,
    .drained = on_drained,
    .ended = on_ended,
};

static void begin(void *context, int fd)
{
    struct tunnel_visitors *visitors = context;
    struct tunnel_visitor *visitor = calloc(1, sizeof *visitor + visitors->events->own_size);

    if (visitor != NULL) {
        visitor->visitors = visitors;
        visitor->timer = (struct tunnel_timer){.fn = on_time, .context = visitor};
        visitor->tls.loop = &visitors->side->loop;
        visitor->tls.events = &tls_events;
        visitor->tls.context = visitor;
    }
    if (visitor == NULL || io_tls_accept(&visitor->tls, visitors->certificates, fd) != 0) {
        free(visitor);
        io_fd_close(&fd);
        tunnel_agent_complain(visitors->agent, "a client was turned away: no memory is left");
        tunnel_agent_ended(visitors->agent);
        return;
    }
    tunnel_list_add(&visitors->list, &visitor->link, visitor);
    tunnel_timers_set(&visitors->side->timers, &visitor->timer,
                      io_clock_mono_ns() + TUNNEL_VISITORS_HANDSHAKE_S * SECOND_NS);
}

static void end(void *context)
{
    struct tunnel_visitors *visitors = context;
    struct tunnel_visitor *next = NULL;

    for (struct tunnel_visitor *one = tunnel_list_first(&visitors->list); one != NULL; one = next) {
        next = tunnel_list_next(&one->link);
        if (io_tls_is_open(&one->tls)) {
            tunnel_visitors_leave(one);
        } else {
            io_tls_abort(&one->tls);
            forget(one);
        }
    }
}

bool tunnel_visitors_open(struct tunnel_visitors *visitors, struct tunnel_side *side,
                          struct tunnel_agent *agent, struct bytes folder,
                          const struct tunnel_visitors_events *events)
{
    visitors->side = side;
    visitors->agent = agent;
    visitors->events = events;
    return tunnel_side_certify(side, folder, IO_TLS_SERVER, &visitors->certificates);
}

void tunnel_visitors_close(struct tunnel_visitors *visitors)
{
    struct tunnel_visitor *visitor = NULL;

    while ((visitor = tunnel_list_first(&visitors->list)) != NULL) {
        io_tls_abort(&visitor->tls);
        forget(visitor);
    }
    io_tls_context_close(visitors->certificates);
    visitors->certificates = NULL;
}

struct tunnel_service tunnel_visitors_service(struct tunnel_visitors *visitors)
{
    return (struct tunnel_service){.begin = begin, .end = end, .context = visitors};
}

void tunnel_visitors_wait(struct tunnel_visitor *visitor)
{
    tunnel_timers_set(&visitor->visitors->side->timers, &visitor->timer,
                      io_clock_mono_ns() + TUNNEL_VISITORS_WAIT_S * SECOND_NS);
}

void tunnel_visitors_rest(struct tunnel_visitor *visitor)
{
    tunnel_timers_clear(&visitor->visitors->side->timers, &visitor->timer);
}

void tunnel_visitors_leave(struct tunnel_visitor *visitor)
{
    io_tls_close(&visitor->tls);
    tunnel_visitors_wait(visitor);
}
