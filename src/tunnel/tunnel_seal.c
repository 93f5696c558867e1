// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_seal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io_clock.h"
#include "io/io_fd.h"
#include "io/io_tcp.h"

enum {
    READ_LEN = 16384, // bytes, of the service at once
    HELD_MAX = 65536, // bytes of what is sent to the service first
};

static void set_timer(struct tunnel_seal *seal, uint64_t seconds)
{
    tunnel_timers_set(seal->timers, &seal->timer, io_clock_mono_ns() + seconds * SECOND_NS);
}

static void on_time(struct tunnel_timer *timer)
{
    struct tunnel_seal *seal = timer->context;

    io_tls_expire(&seal->tls);
}

// --- the service's socket ------------------------------------------------------------------------

static void let_go(struct tunnel_seal *seal)
{
    tunnel_timers_clear(seal->timers, &seal->timer);
    if (seal->is_joined) {
        io_loop_remove(seal->loop, &seal->service);
    }
    free(seal->held);
    seal->held = NULL;
    seal->held_len = 0;
}

void tunnel_seal_abort(struct tunnel_seal *seal)
{
    let_go(seal);
    io_tls_abort(&seal->tls);
    if (seal->is_joined) {
        io_tcp_reset(&seal->service.fd);
    }
}

// Both sides are to see that something is missing.
static void break_off(struct tunnel_seal *seal, const char *why)
{
    struct io_tls_end end = {.was_open = true};

    io_tls_end_set(&end, IO_TLS_END_CUT, "%s", why);
    tunnel_seal_abort(seal);
    seal->events->ended(seal, &end);
}

// Has the loop tell what can be gone on with. False: it is broken off.
static bool watch(struct tunnel_seal *seal)
{
    const bool has_room = io_tls_queued(&seal->tls) <= IO_TLS_QUEUE_MAX - READ_LEN;
    const uint32_t wanted = (!seal->is_service_done && has_room ? IO_READABLE : 0U) |
                            (seal->held_len > 0 ? IO_WRITABLE : 0U);
    int error = 0;

    if (wanted == seal->service.events) {
        return true;
    }
    if (wanted == 0) {
        io_loop_remove(seal->loop, &seal->service);
    } else if (seal->service.events == 0) {
        error = io_loop_add(seal->loop, &seal->service, wanted);
    } else {
        error = io_loop_modify(seal->loop, &seal->service, wanted);
    }
    if (error != 0) {
        break_off(seal, "the system has no room to wait for it");
    }
    return error == 0;
}

static void rest(struct tunnel_seal *seal)
{
    if (seal->is_relay_done || seal->is_service_done) {
        set_timer(seal, TUNNEL_SEAL_SILENCE_S);
    }
}

// Both have ended, and each has all: what is left is TLS's own end.
static void finish_if_done(struct tunnel_seal *seal)
{
    if (seal->is_relay_done && !seal->is_told && seal->held_len == 0) {
        seal->is_told = true;
        shutdown(seal->service.fd, SHUT_WR);
    }
    if (seal->is_told && seal->is_service_done) {
        io_tls_close(&seal->tls);
        set_timer(seal, TUNNEL_SEAL_CLOSING_S);
    }
}

// Writes to the service what it takes. How much that was; -1 when it is lost.
static MUST_USE ssize_t give(struct tunnel_seal *seal, struct bytes bytes)
{
    const ssize_t put = send(seal->service.fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);

    if (put < 0 && (errno == EAGAIN || errno == EINTR)) {
        return 0;
    }
    return put;
}

static bool hold(struct tunnel_seal *seal, struct bytes bytes)
{
    assert(seal->held == NULL);
    assert(bytes.len <= HELD_MAX);
    seal->held = malloc(bytes.len);
    if (seal->held == NULL) {
        return false;
    }
    memcpy(seal->held, bytes.ptr, bytes.len);
    seal->held_from = 0;
    seal->held_len = (uint32_t)bytes.len;
    io_tls_pause(&seal->tls);
    return true;
}

static void take_from_service(struct tunnel_seal *seal)
{
    uint8_t buffer[READ_LEN];
    const ssize_t got = recv(seal->service.fd, buffer, sizeof buffer, 0);

    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (got < 0) {
        break_off(seal, "the service has reset it");
        return;
    }
    if (got == 0) {
        seal->is_service_done = true;
        io_tls_shut(&seal->tls);
    } else if (io_tls_send(&seal->tls, (struct bytes){buffer, (size_t)got}) != 0) {
        break_off(seal, "the relay takes nothing more");
        return;
    }
    rest(seal);
    if (watch(seal)) {
        finish_if_done(seal);
    }
}

static void give_held(struct tunnel_seal *seal)
{
    const ssize_t put = give(seal, (struct bytes){seal->held + seal->held_from, seal->held_len});

    if (put < 0) {
        break_off(seal, "the service has reset it");
        return;
    }
    seal->held_from += (uint32_t)put;
    seal->held_len -= (uint32_t)put;
    if (seal->held_len == 0) {
        free(seal->held);
        seal->held = NULL;
        if (io_tls_resume(&seal->tls) != 0) {
            break_off(seal, "the system has no room to wait for it");
            return;
        }
    }
    rest(seal);
    if (watch(seal)) {
        finish_if_done(seal);
    }
}

static void on_service(struct io_watch *service, uint32_t events)
{
    struct tunnel_seal *seal = service->context;

    // One of them a turn, for each may end it.
    if ((events & IO_WRITABLE) != 0 && seal->held_len > 0) {
        give_held(seal);
    } else {
        take_from_service(seal);
    }
}

// --- the relay -----------------------------------------------------------------------------------

static void on_opened(struct io_tls *tls)
{
    struct tunnel_seal *seal = tls->context;

    tunnel_timers_clear(seal->timers, &seal->timer);
    seal->events->opened(seal);
}

static void on_received(struct io_tls *tls, struct bytes bytes)
{
    struct tunnel_seal *seal = tls->context;

    if (!seal->is_joined) {
        seal->events->received(seal, bytes);
        return;
    }
    const ssize_t put = give(seal, bytes);
    if (put < 0) {
        break_off(seal, "the service has reset it");
        return;
    }
    const struct bytes left = bytes_from(bytes, (size_t)put);
    if (left.len > 0 && !hold(seal, left)) {
        break_off(seal, "no memory is left");
        return;
    }
    rest(seal);
    IGNORE(watch(seal)); // it is the last that is done with it here
}

static void on_half_closed(struct io_tls *tls)
{
    struct tunnel_seal *seal = tls->context;

    seal->is_relay_done = true;
    if (!seal->is_joined) {
        io_tls_close(tls); // before it was used
        set_timer(seal, TUNNEL_SEAL_CLOSING_S);
        return;
    }
    rest(seal);
    finish_if_done(seal);
}

static void on_drained(struct io_tls *tls)
{
    struct tunnel_seal *seal = tls->context;

    if (seal->is_joined) {
        IGNORE(watch(seal)); // likewise
    }
}

static void on_ended(struct io_tls *tls, const struct io_tls_end *end)
{
    struct tunnel_seal *seal = tls->context;

    const bool is_good = end->kind == IO_TLS_END_CLOSED || seal->is_ending ||
                         (seal->is_told && seal->is_service_done);

    let_go(seal);
    if (seal->is_joined && is_good) {
        io_fd_close(&seal->service.fd);
    } else if (seal->is_joined) {
        io_tcp_reset(&seal->service.fd);
    }
    seal->events->ended(seal, end);
}

static const struct io_tls_events tls_events = {
    .opened = on_opened,
    .received = on_received,
    .half_closed = on_half_closed,
    .drained = on_drained,
    .ended = on_ended,
};

// --- its life ------------------------------------------------------------------------------------

int tunnel_seal_connect(struct tunnel_seal *seal, struct io_tls_context *certificates,
                        const struct io_tls_wanted *wanted, int fd)
{
    seal->timer = (struct tunnel_timer){.fn = on_time, .context = seal};
    seal->tls.loop = seal->loop;
    seal->tls.events = &tls_events;
    seal->tls.context = seal;
    const int error = io_tls_connect(&seal->tls, certificates, fd, wanted);
    if (error == 0) {
        set_timer(seal, TUNNEL_SEAL_HANDSHAKE_S);
    }
    return error;
}

bool tunnel_seal_send(struct tunnel_seal *seal, struct bytes bytes)
{
    return io_tls_send(&seal->tls, bytes) == 0;
}

bool tunnel_seal_join(struct tunnel_seal *seal, int service_fd, struct bytes head)
{
    assert(!seal->is_joined);
    seal->is_joined = true;
    seal->service = (struct io_watch){.fd = service_fd, .fn = on_service, .context = seal};
    const ssize_t put = head.len > 0 ? give(seal, head) : 0;
    const struct bytes left = bytes_from(head, put > 0 ? (size_t)put : 0);
    const bool is_held = put >= 0 && (left.len == 0 || hold(seal, left));
    if (!is_held || io_loop_add(seal->loop, &seal->service,
                                IO_READABLE | (left.len > 0 ? IO_WRITABLE : 0U)) != 0) {
        tunnel_seal_abort(seal);
        return false;
    }
    if (left.len == 0 && io_tls_resume(&seal->tls) != 0) {
        tunnel_seal_abort(seal);
        return false;
    }
    return true;
}

void tunnel_seal_end(struct tunnel_seal *seal)
{
    seal->is_ending = true;
    if (seal->held_len > 0) {
        IGNORE(give(seal, (struct bytes){seal->held + seal->held_from, seal->held_len}));
    }
    io_loop_remove(seal->loop, &seal->service);
    io_tls_close(&seal->tls);
    set_timer(seal, TUNNEL_SEAL_END_S);
}
