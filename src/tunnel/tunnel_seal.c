// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_seal.h"

#include "io/io_clock.h"

static void on_time(struct tunnel_timer *timer)
{
    struct tunnel_seal *seal = timer->context;

    io_tls_expire(&seal->tls);
}

void tunnel_seal_abort(struct tunnel_seal *seal)
{
    if (seal->tls.state != IO_TLS_ENDED) {
        tunnel_timers_clear(seal->timers, &seal->timer);
        io_tls_abort(&seal->tls);
    }
}

static void on_opened(struct io_tls *tls)
{
    struct tunnel_seal *seal = tls->context;
    struct io_tls_channel *channel = io_tls_channel_take(tls);

    if (channel == NULL) {
        tunnel_seal_abort(seal);
        seal->on_end(seal, IO_STREAM_NONE, "no memory is left");
        return;
    }
    tunnel_timers_clear(seal->timers, &seal->timer);
    seal->on_end(seal, io_stream_sealed(channel), NULL);
}

static void on_ended(struct io_tls *tls, const struct io_tls_end *end)
{
    struct tunnel_seal *seal = tls->context;

    tunnel_timers_clear(seal->timers, &seal->timer);
    seal->on_end(seal, IO_STREAM_NONE, end->text);
}

static const struct io_tls_events tls_events = {.opened = on_opened, .ended = on_ended};

int tunnel_seal_connect(struct tunnel_seal *seal, struct io_tls_context *certificates,
                        const struct io_tls_wanted *wanted, int fd)
{
    seal->timer = (struct tunnel_timer){.fn = on_time, .context = seal};
    seal->tls.loop = seal->loop;
    seal->tls.events = &tls_events;
    seal->tls.context = seal;
    const int error = io_tls_connect(&seal->tls, certificates, fd, wanted);
    if (error == 0) {
        tunnel_timers_set(seal->timers, &seal->timer,
                          io_clock_mono_ns() + TUNNEL_SEAL_HANDSHAKE_S * SECOND_NS);
    }
    return error;
}
