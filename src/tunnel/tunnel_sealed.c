// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_sealed.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tcp.h"
#include "io/io_tls_session.h"
#include "log/log.h"

static uint32_t number_of(const struct tunnel_sealed_one *one)
{
    return (uint32_t)(one - one->sealed->places);
}

// What it had is closed, or another's.
static void leave(struct tunnel_sealed_one *one)
{
    struct tunnel_sealed *sealed = one->sealed;

    assert(one->state != TUNNEL_SEALED_FREE);
    tunnel_crowd_leave(&sealed->crowd, number_of(one));
    heap_clear(&sealed->timers, number_of(one));
    one->state = TUNNEL_SEALED_FREE;
    one->next_free = sealed->first_free;
    sealed->first_free = number_of(one);
}

// Nobody is told.
static void end(struct tunnel_sealed_one *one)
{
    io_tls_abort(&one->tls);
    if (one->channel != NULL) {
        io_loop_remove(one->sealed->loop, &one->watch);
        io_tls_channel_reset(one->channel);
        one->channel = NULL;
    }
    leave(one);
}

static void refuse(struct tunnel_sealed_one *one, const char *why)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    struct tunnel_sealed *sealed = one->sealed;
    const struct addr from = one->from;

    end(one);
    sealed->events->refused(sealed->context, &from, why);
    LOG_LIMITED(&limit, LOG_LEVEL_INFO, "a data connection in TLS was refused",
                LOG_ADDR("from", &from), LOG_TEXT("reason", why));
}

// --- the preface ---------------------------------------------------------------------------------

static void hand_over(struct tunnel_sealed_one *one)
{
    struct tunnel_sealed *sealed = one->sealed;
    const struct io_stream stream = io_stream_sealed(one->channel);

    io_loop_remove(sealed->loop, &one->watch);
    one->channel = NULL;
    const struct addr from = one->from;
    uint8_t raw[REVTUN_PREFACE_LEN];
    memcpy(raw, one->raw, sizeof raw);
    leave(one);
    sealed->events->data(sealed->context, stream, &from, raw);
}

static void read_preface(struct tunnel_sealed_one *one)
{
    size_t got = 0;

    switch (io_tls_channel_read(one->channel, one->raw + one->raw_len,
                                sizeof one->raw - one->raw_len, &got)) {
    case IO_TLS_CHANNEL_DONE:
        one->raw_len += (uint32_t)got;
        if (one->raw_len == sizeof one->raw) {
            hand_over(one);
        }
        return;
    case IO_TLS_CHANNEL_WAITS:
        return;
    case IO_TLS_CHANNEL_ENDED:
    case IO_TLS_CHANNEL_LOST:
        one->sealed->failed_count++;
        refuse(one, "it ended before its preface was whole");
        return;
    }
}

static void on_event(struct io_watch *watch, uint32_t events)
{
    (void)events; // an end, or an error, is met by reading
    read_preface(watch->context);
}

static void await_preface(struct tunnel_sealed_one *one)
{
    struct tunnel_sealed *sealed = one->sealed;

    one->state = TUNNEL_SEALED_PREFACING;
    one->raw_len = 0;
    one->watch =
        (struct io_watch){.fd = io_tls_channel_fd(one->channel), .fn = on_event, .context = one};
    if (io_loop_add(sealed->loop, &one->watch, IO_READABLE) != 0) {
        sealed->failed_count++;
        refuse(one, "the system has no room to wait for it");
        return;
    }
    heap_set(&sealed->timers, number_of(one),
             io_clock_mono_ns() + TUNNEL_SEALED_PREFACE_S * SECOND_NS);
    read_preface(one); // most have sent it right behind their handshake
}

// --- the handshake -------------------------------------------------------------------------------

static void on_opened(struct io_tls *tls)
{
    struct tunnel_sealed_one *one = tls->context;

    if (!bytes_equal_text(io_tls_session_alpn(tls), TUNNEL_SEALED_PROTOCOL)) {
        one->sealed->failed_count++;
        refuse(one, "it speaks another protocol than it said");
        return;
    }
    one->channel = io_tls_channel_take(tls);
    if (one->channel == NULL) {
        one->sealed->failed_count++;
        refuse(one, "no memory is left");
        return;
    }
    await_preface(one);
}

static void on_ended(struct io_tls *tls, const struct io_tls_end *why)
{
    struct tunnel_sealed_one *one = tls->context;

    one->sealed->failed_count += why->kind != IO_TLS_END_EXPIRED;
    one->sealed->late_count += why->kind == IO_TLS_END_EXPIRED;
    refuse(one, why->text);
}

static const struct io_tls_events tls_events = {.opened = on_opened, .ended = on_ended};

// --- coming and going ----------------------------------------------------------------------------

int tunnel_sealed_open(struct tunnel_sealed *sealed, struct io_loop *loop,
                       const struct tunnel_sealed_events *events, void *context)
{
    assert(sealed->loop == NULL);
    sealed->places = calloc(TUNNEL_SEALED_MAX, sizeof sealed->places[0]);
    sealed->timers_memory = calloc(1, heap_size(TUNNEL_SEALED_MAX));
    if (sealed->places == NULL || sealed->timers_memory == NULL ||
        tunnel_crowd_open(&sealed->crowd, TUNNEL_SEALED_MAX, TUNNEL_SEALED_ADDRESS_MAX) != 0) {
        return -ENOMEM;
    }
    heap_init(&sealed->timers, sealed->timers_memory, TUNNEL_SEALED_MAX);
    sealed->loop = loop;
    sealed->events = events;
    sealed->context = context;
    for (uint32_t i = 0; i < TUNNEL_SEALED_MAX; i++) {
        sealed->places[i].sealed = sealed;
        sealed->places[i].next_free = i + 1;
    }
    return 0;
}

void tunnel_sealed_close(struct tunnel_sealed *sealed)
{
    uint32_t number = 0;

    while ((number = tunnel_crowd_any(&sealed->crowd)) != TUNNEL_CROWD_NOBODY) {
        end(&sealed->places[number]);
    }
    tunnel_crowd_close(&sealed->crowd);
    free(sealed->timers_memory);
    free(sealed->places);
    sealed->timers_memory = NULL;
    sealed->places = NULL;
    sealed->loop = NULL;
}

static bool may_begin(struct tunnel_sealed *sealed, struct now now, const struct addr *from)
{
    return tunnel_handshakes_take(&sealed->handshakes, now, from) ||
           sealed->events->is_known(sealed->context, from);
}

static void make_room(struct tunnel_sealed *sealed, const struct addr *from)
{
    const uint32_t displaced = tunnel_crowd_displaced(&sealed->crowd, from);

    if (displaced != TUNNEL_CROWD_NOBODY) {
        sealed->displaced_count++;
        end(&sealed->places[displaced]);
    }
}

void tunnel_sealed_add(struct tunnel_sealed *sealed, struct now now,
                       struct io_tls_context *certificates, int fd, const struct addr *from)
{
    static struct log_limit limit = LOG_LIMIT_DEFAULT;
    static struct log_limit crowd = LOG_LIMIT_DEFAULT;

    if (!may_begin(sealed, now, from)) {
        sealed->crowded_count++;
        sealed->events->refused(sealed->context, from,
                                "more handshakes were asked for than begin in a second");
        LOG_LIMITED(&crowd, LOG_LEVEL_WARN,
                    "data connections in TLS are turned away, since too many handshakes are asked "
                    "for",
                    LOG_ADDR("from", from));
        io_tcp_reset(&fd);
        return;
    }
    make_room(sealed, from);
    const uint32_t number = sealed->first_free;
    struct tunnel_sealed_one *one = &sealed->places[number];
    assert(one->state == TUNNEL_SEALED_FREE);
    sealed->first_free = one->next_free;
    tunnel_crowd_join(&sealed->crowd, number, from);
    one->state = TUNNEL_SEALED_SHAKING;
    one->from = *from;
    one->tls = (struct io_tls){.loop = sealed->loop, .events = &tls_events, .context = one};
    const int error = io_tls_accept(&one->tls, certificates, fd);
    if (error != 0) {
        LOG_LIMITED(&limit, LOG_LEVEL_ERROR, "a data connection cannot be served",
                    LOG_ADDR("from", from), LOG_ERROR_NUMBER("error", error));
        io_fd_close(&fd);
        leave(one);
        return;
    }
    heap_set(&sealed->timers, number, now.mono_ns + TUNNEL_SEALED_SHAKE_S * SECOND_NS);
}

uint64_t tunnel_sealed_tick(struct tunnel_sealed *sealed, struct now now)
{
    uint32_t number = 0;

    while (heap_take(&sealed->timers, now.mono_ns, &number)) {
        struct tunnel_sealed_one *one = &sealed->places[number];

        if (one->state == TUNNEL_SEALED_SHAKING) {
            io_tls_expire(&one->tls); // on_ended() follows
        } else {
            sealed->late_count++;
            refuse(one, "its preface did not come in time");
        }
    }
    return heap_deadline(&sealed->timers);
}
