// SPDX-License-Identifier: Apache-2.0
#include "io/io_tls.h"

#include <assert.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io_fd.h"

// One record is read by each call of OpenSSL, whole, and no data stay in OpenSSL behind it: so the
// level-triggered loop knows whether there are more. What fails inside of a caller's call is kept,
// as state OVER, until the next event: so the caller meets no callback there.

enum {
    ROUND_MAX = 4, // records that are read from one connection in one turn of the loop
};

// --- the end -------------------------------------------------------------------------------------

// Frees everything. The memory is the caller's again.
static void release(struct io_tls *tls)
{
    io_loop_remove(tls->loop, &tls->watch);
    SSL_free(tls->ssl);
    io_tls_context_close(tls->shared);
    io_fd_close(&tls->watch.fd);
    io_tls_queue_drop(&tls->queue, tls->queue.len);
    tls->ssl = NULL;
    tls->shared = NULL;
    tls->state = IO_TLS_ENDED;
    if (tls->is_gone != NULL) {
        *tls->is_gone = true;
        tls->is_gone = NULL;
    }
}

static void finish(struct io_tls *tls)
{
    const struct io_tls_end end = tls->end;

    assert(tls->state != IO_TLS_ENDED);
    release(tls);
    tls->events->ended(tls, &end);
}

// Waits until the other side closes, too.
static void linger(struct io_tls *tls)
{
    tls->state = shutdown(tls->watch.fd, SHUT_WR) == 0 ? IO_TLS_LINGERING : IO_TLS_OVER;
}

// OpenSSL can do no more here.
static void fail(struct io_tls *tls)
{
    if (tls->verify.has_failed) {
        ERR_clear_error(); // `end` has the reason
    } else {
        io_tls_end_of_failure(&tls->end, &tls->stream);
    }
    const bool is_deaf = tls->end.kind == IO_TLS_END_CUT || tls->end.kind == IO_TLS_END_SYSTEM ||
                         tls->end.kind == IO_TLS_END_ALERT;
    if (tls->end.was_open || is_deaf) {
        tls->state = IO_TLS_OVER;
    } else {
        linger(tls); // an alert is under way, and the caller has a deadline
    }
}

// Close_notify has passed in both directions, or in ours alone.
static void close_cleanly(struct io_tls *tls)
{
    io_tls_end_set(&tls->end, IO_TLS_END_CLOSED, "closed");
    if (tls->is_in_done) {
        tls->state = IO_TLS_OVER;
    } else {
        linger(tls);
    }
}

// --- what it waits for ---------------------------------------------------------------------------

static bool is_reading(const struct io_tls *tls)
{
    return !tls->is_in_done && (!tls->is_paused || tls->state == IO_TLS_CLOSING);
}

static bool is_writing(const struct io_tls *tls)
{
    return !tls->is_out_broken &&
           (tls->queue.len > 0 || (tls->is_shut_wanted && !tls->is_shut) || tls->is_write_wanted);
}

static uint32_t awaited(const struct io_tls *tls)
{
    switch (tls->state) {
    case IO_TLS_ENDED:
        break;
    case IO_TLS_SHAKING:
        return tls->is_write_wanted ? IO_WRITABLE : IO_READABLE;
    case IO_TLS_OPEN:
    case IO_TLS_CLOSING:
        return (is_reading(tls) ? IO_READABLE : 0) | (is_writing(tls) ? IO_WRITABLE : 0);
    case IO_TLS_LINGERING:
        return IO_READABLE;
    case IO_TLS_OVER:
        return IO_READABLE | IO_WRITABLE; // whatever comes first: OVER tells at once
    }
    assert(!"one that has ended waits for nothing");
    return 0;
}

static int rearm(struct io_tls *tls)
{
    const uint32_t events = awaited(tls);

    if (events == 0) {
        io_loop_remove(tls->loop, &tls->watch);
        return 0;
    }
    if (tls->watch.events == 0) {
        return io_loop_add(tls->loop, &tls->watch, events);
    }
    return io_loop_modify(tls->loop, &tls->watch, events);
}

// After OpenSSL has returned without success: true if it only waits.
static bool is_waiting(struct io_tls *tls, int result)
{
    const int error = SSL_get_error(tls->ssl, result);

    tls->is_write_wanted = error == SSL_ERROR_WANT_WRITE;
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

// --- sending -------------------------------------------------------------------------------------

// Gives OpenSSL what waits, and close_notify behind it if that is wanted.
static void push(struct io_tls *tls)
{
    int result = 1;

    ERR_clear_error();
    while (tls->queue.len > 0 && result == 1) {
        const struct bytes waiting = io_tls_queue_bytes(&tls->queue);
        size_t put = 0;

        result = SSL_write_ex(tls->ssl, waiting.ptr, waiting.len, &put);
        io_tls_queue_drop(&tls->queue, put);
    }
    if (result == 1 && tls->is_shut_wanted && !tls->is_shut) {
        result = SSL_shutdown(tls->ssl) >= 0; // 0: the other side's has not come yet
        tls->is_shut = result == 1;
    }
    if (result == 1) {
        tls->is_write_wanted = false;
        return;
    }
    if (is_waiting(tls, result)) {
        return;
    }
    if (tls->stream.error != 0 && is_reading(tls)) {
        // There may be an alert that says why, which is read first.
        tls->is_out_broken = true;
    } else {
        fail(tls);
    }
}

int io_tls_send(struct io_tls *tls, struct bytes bytes)
{
    if (tls->state != IO_TLS_OPEN || tls->is_shut_wanted || tls->is_out_broken) {
        return -ENOTCONN;
    }
    if (bytes.len > IO_TLS_QUEUE_MAX - tls->queue.len) {
        return -ENOBUFS;
    }
    const int error = io_tls_queue_add(&tls->queue, bytes);
    if (error != 0) {
        return error;
    }
    push(tls);
    return rearm(tls);
}

uint32_t io_tls_queued(const struct io_tls *tls)
{
    return tls->queue.len;
}

// --- receiving -----------------------------------------------------------------------------------

// Close_notify came.
static void half_close(struct io_tls *tls)
{
    tls->is_in_done = true;
    if (tls->state == IO_TLS_CLOSING) {
        return;
    }
    if (tls->events->half_closed != NULL) {
        tls->events->half_closed(tls);
        return;
    }
    tls->is_shut_wanted = true;
    push(tls); // what the system takes at once, the rest is lost
    if (tls->state == IO_TLS_OPEN) {
        close_cleanly(tls);
    }
}

static bool is_pullable(const struct io_tls *tls)
{
    return (tls->state == IO_TLS_OPEN || tls->state == IO_TLS_CLOSING) && is_reading(tls);
}

// Nothing was read: close_notify came, or a message of TLS's own, or a part of something, or it has
// failed.
static void look_why(struct io_tls *tls, int result)
{
    if (SSL_get_error(tls->ssl, result) == SSL_ERROR_ZERO_RETURN) {
        half_close(tls);
    } else if (!is_waiting(tls, result) || (tls->is_out_broken && tls->stream.is_dry)) {
        fail(tls); // if only sending is broken: no alert has come
    }
}

// Tells what has come, a few records of it; of one that is closing, only looks for the end.
static void pull(struct io_tls *tls, const bool *is_gone)
{
    uint8_t buffer[IO_TLS_RECEIVE_MAX];

    for (int round = 0; round < ROUND_MAX && is_pullable(tls); round++) {
        size_t got = 0;

        ERR_clear_error();
        const int result = SSL_read_ex(tls->ssl, buffer, sizeof(buffer), &got);

        if (result != 1) {
            look_why(tls, result);
            return;
        }
        if (tls->state == IO_TLS_OPEN) {
            tls->events->received(tls, (struct bytes){buffer, got});
        }
        if (*is_gone) {
            return;
        }
    }
}

// Reads into nothing until the other side closes.
static void drain(struct io_tls *tls)
{
    uint8_t buffer[IO_TLS_RECEIVE_MAX];
    ssize_t got = 1;

    for (int round = 0; round < ROUND_MAX && got > 0; round++) {
        got = recv(tls->watch.fd, buffer, sizeof(buffer), 0);
    }
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
        tls->state = IO_TLS_OVER;
    }
}

// --- events --------------------------------------------------------------------------------------

static void shake(struct io_tls *tls)
{
    ERR_clear_error();
    const int result = SSL_do_handshake(tls->ssl);

    if (result == 1) {
        tls->state = IO_TLS_OPEN;
        tls->end.was_open = true;
        tls->is_write_wanted = false;
        tls->events->opened(tls);
    } else if (!is_waiting(tls, result)) {
        fail(tls);
    }
}

static void move(struct io_tls *tls, const bool *is_gone)
{
    const bool was_queued = tls->queue.len > 0;

    if (is_writing(tls)) {
        push(tls);
    }
    if (was_queued && tls->queue.len == 0 && tls->state == IO_TLS_OPEN &&
        tls->events->drained != NULL) {
        tls->events->drained(tls);
    }
    if (!*is_gone) {
        pull(tls, is_gone);
    }
}

static void handle(struct io_watch *watch, uint32_t events)
{
    struct io_tls *tls = watch->context;
    bool is_gone = false;

    (void)events; // whatever it is, all that can be done is tried
    tls->is_gone = &is_gone;
    switch (tls->state) {
    case IO_TLS_ENDED:
        assert(!"one that has ended has no watch");
        break;
    case IO_TLS_SHAKING:
        shake(tls);
        break;
    case IO_TLS_OPEN:
    case IO_TLS_CLOSING:
        move(tls, &is_gone);
        break;
    case IO_TLS_LINGERING:
        drain(tls);
        break;
    case IO_TLS_OVER:
        break;
    }
    if (is_gone) {
        return;
    }
    tls->is_gone = NULL;
    if (tls->state == IO_TLS_CLOSING && tls->is_shut) {
        close_cleanly(tls);
    }
    if (tls->state == IO_TLS_OVER) {
        finish(tls);
        return;
    }
    const int error = rearm(tls);
    if (error != 0) {
        io_tls_end_of_system(&tls->end, -error);
        finish(tls);
    }
}

// --- the caller's calls --------------------------------------------------------------------------

static int start(struct io_tls *tls, struct io_tls_context *shared, int fd,
                 const struct io_tls_wanted *wanted)
{
    assert(tls->state == IO_TLS_ENDED);
    *tls = (struct io_tls){
        .loop = tls->loop,
        .events = tls->events,
        .context = tls->context,
        .watch = {.fd = fd, .fn = handle, .context = tls},
        .stream = {.fd = fd},
        .shared = shared,
        .is_write_wanted = wanted != NULL, // a client speaks first
        .state = IO_TLS_SHAKING,
    };
    tls->ssl = io_tls_context_connection(shared, &tls->stream);
    if (tls->ssl == NULL) {
        tls->state = IO_TLS_ENDED;
        return -ENOMEM;
    }
    if (wanted != NULL) {
        SSL_set_connect_state(tls->ssl);
    } else {
        SSL_set_accept_state(tls->ssl);
    }
    int error = io_tls_verify_init(&tls->verify, tls->ssl, wanted, &tls->end);
    if (error == 0) {
        error = rearm(tls);
    }
    if (error != 0) {
        tls->watch.fd = -1; // the caller's
        release(tls);
    }
    return error;
}

int io_tls_accept(struct io_tls *tls, struct io_tls_context *shared, int fd)
{
    assert(io_tls_context_role(shared) == IO_TLS_SERVER);
    return start(tls, shared, fd, NULL);
}

int io_tls_connect(struct io_tls *tls, struct io_tls_context *shared, int fd,
                   const struct io_tls_wanted *wanted)
{
    assert(io_tls_context_role(shared) == IO_TLS_CLIENT);
    assert(wanted != NULL);
    return start(tls, shared, fd, wanted);
}

void io_tls_pause(struct io_tls *tls)
{
    tls->is_paused = true;
    if (tls->state == IO_TLS_OPEN && tls->is_gone == NULL) {
        IGNORE(rearm(tls)); // asks for less, which cannot fail
    }
}

int io_tls_resume(struct io_tls *tls)
{
    tls->is_paused = false;
    return tls->state == IO_TLS_OPEN && tls->is_gone == NULL ? rearm(tls) : 0;
}

// What cannot be watched any more is told by io_tls_expire().
static void shut(struct io_tls *tls)
{
    tls->is_shut_wanted = true;
    push(tls);
    if (tls->state == IO_TLS_CLOSING && tls->is_shut) {
        close_cleanly(tls);
    }
    if (tls->is_gone == NULL) {
        IGNORE(rearm(tls));
    }
}

void io_tls_shut(struct io_tls *tls)
{
    if (tls->state == IO_TLS_OPEN && !tls->is_shut_wanted && !tls->is_out_broken) {
        shut(tls);
    }
}

void io_tls_close(struct io_tls *tls)
{
    switch (tls->state) {
    case IO_TLS_SHAKING:
        io_tls_end_set(&tls->end, IO_TLS_END_CLOSED, "closed by us in the handshake");
        linger(tls);
        break;
    case IO_TLS_OPEN:
        tls->state = IO_TLS_CLOSING;
        shut(tls);
        return;
    default:
        return;
    }
    if (tls->is_gone == NULL) {
        IGNORE(rearm(tls)); // as in shut()
    }
}

static void set_expired(struct io_tls *tls)
{
    const char *words = tls->state == IO_TLS_OPEN ? "its time was over"
                        : tls->state == IO_TLS_CLOSING
                            ? "the other side did not take the last bytes"
                        : tls->stream.first_len > 0 ? "the handshake was not finished in time"
                                                    : "nothing came in time for a handshake";

    io_tls_end_set(&tls->end, IO_TLS_END_EXPIRED, "%s", words);
}

void io_tls_expire(struct io_tls *tls)
{
    switch (tls->state) {
    case IO_TLS_ENDED:
        return;
    case IO_TLS_SHAKING:
    case IO_TLS_OPEN:
    case IO_TLS_CLOSING:
        set_expired(tls);
        break;
    case IO_TLS_LINGERING:
    case IO_TLS_OVER:
        break; // as it had begun
    }
    finish(tls);
}

void io_tls_abort(struct io_tls *tls)
{
    if (tls->state != IO_TLS_ENDED) {
        release(tls);
    }
}

void io_tls_give(struct io_tls *tls, struct io_tls_bio *stream, struct ssl_st **ssl,
                 struct io_tls_context **shared)
{
    assert(tls->queue.len == 0);
    io_loop_remove(tls->loop, &tls->watch);
    *stream = tls->stream;
    *ssl = tls->ssl;
    *shared = tls->shared;
    io_tls_bio_move(SSL_get_rbio(tls->ssl), stream);
    SSL_set_app_data(tls->ssl, NULL); // what is said in handshakes alone
    tls->watch.fd = -1;
    tls->ssl = NULL;
    tls->shared = NULL;
    release(tls);
}

bool io_tls_is_open(const struct io_tls *tls)
{
    return tls->state == IO_TLS_OPEN;
}
