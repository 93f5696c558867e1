// SPDX-License-Identifier: Apache-2.0
#include "web/web_socket.h"

#include <assert.h>
#include <errno.h>
#include <libwebsockets.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "http/http_retry.h"
#include "io/io_clock.h"
#include "io/io_tls_end.h"
#include "web/web_context.h"
#include "web/web_race.h"
#include "web/web_trouble.h"

enum {
    PIECE_MAX = 4096, // bytes of a message that come at a time
    FIELD_MAX = 128,  // bytes of a header's value that is looked at
    MILLIS = 1000,    // in a second
    SWITCHING = 101,  // the HTTP status that agrees
    LINGER_S = 1,     // for the answer to our close frame
};

struct timer {
    lws_sorted_usec_list_t list; // first, since it is what libwebsockets hands out
    struct web_socket *socket;
};

struct web_socket_timers {
    struct timer turn;     // the caller's deadline
    struct timer limit;    // CONNECT_S
    struct timer patience; // see on_patience()
};

static struct web_socket *socket_of(lws_sorted_usec_list_t *list)
{
    return ((struct timer *)list)->socket;
}

// libwebsockets calls its timers first and then waits for what else may come, as long as it knew of
// nothing to do when it began: whatever changes that in a timer has to end the waiting, by
// lws_cancel_service().

// The connection is no more the caller's business.
static void let_go(struct web_socket *socket)
{
    lws_sul_cancel(&socket->timers->limit.list);
    lws_sul_cancel(&socket->timers->patience.list);
    socket->wsi = NULL;
    socket->is_opened = false;
    socket->text_len = 0;
    web_queue_wipe(&socket->queue);
}

static void note_bytes(struct web_socket *socket, struct bytes text)
{
    char *reason = socket->end.reason;
    size_t kept = 0;

    if (reason[0] != '\0') {
        return; // what was noted first is nearer to the cause
    }
    for (size_t i = 0; i < text.len && kept < WEB_SOCKET_REASON_MAX; i++) {
        if (text.ptr[i] >= ' ' && text.ptr[i] <= '~') {
            reason[kept++] = (char)text.ptr[i];
        }
    }
    reason[kept] = '\0';
}

static void note_reason(struct web_socket *socket, const char *text)
{
    note_bytes(socket, bytes_of_text(text));
}

// Why it was not opened, unless that has been noted. `text` as of web_trouble_of_way().
static void note_failure(struct web_socket *socket, const char *text)
{
    if (socket->end.kind != WEB_SOCKET_REFUSED && socket->end.reason[0] == '\0') {
        note_reason(socket, web_trouble_of_way(&socket->way, text));
    }
}

// OpenSSL's own tale, which libwebsockets forgets before it tells us that something is wrong.
static void on_tls(const SSL *ssl, int where, int result)
{
    struct web_socket *socket = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    const unsigned long error = ERR_peek_last_error();
    struct io_tls_end done = {0};
    if ((where & SSL_CB_EXIT) != 0 && result <= 0 && error != 0 && socket->wsi != NULL &&
        lws_get_ssl(socket->wsi) == ssl) {
        io_tls_end_of_error(&done, error);
        note_reason(socket, done.text);
    }
}

static void end(struct web_socket *socket, enum web_socket_end_kind kind)
{
    let_go(socket);
    socket->end.kind = socket->end.kind == WEB_SOCKET_REFUSED ? WEB_SOCKET_REFUSED : kind;
    if (socket->is_starting) {
        socket->is_end_due = true; // whoever connects is not to be told before that has returned
    } else {
        socket->events->ended(socket->events_context, &socket->end);
        lws_cancel_service(socket->context);
    }
}

// What an HTTP response says instead of agreeing.
static void note_response(struct web_socket *socket, struct lws *wsi)
{
    struct web_socket_end *done = &socket->end;
    char field[FIELD_MAX];
    const unsigned int status = lws_http_client_http_response(wsi);

    if (status == SWITCHING) {
        return;
    }
    done->kind = WEB_SOCKET_REFUSED;
    done->status = (uint16_t)(status < UINT16_MAX ? status : 0);
    note_reason(socket, web_trouble_of_status(done->status));
    if (lws_hdr_copy(wsi, field, sizeof field, WSI_TOKEN_HTTP_RETRY_AFTER) > 0) {
        // One that says nothing is as good as none.
        IGNORE(http_retry_read(bytes_of_text(field), io_clock_now().wall_s, &done->retry_after_s));
    }
    if (lws_hdr_copy(wsi, field, sizeof field, WSI_TOKEN_HTTP_CONTENT_TYPE) > 0) {
        const size_t len = strcspn(field, "; \t");
        const size_t kept = len < WEB_SOCKET_TYPE_MAX ? len : WEB_SOCKET_TYPE_MAX;
        memcpy(done->content_type, field, kept);
        done->content_type[kept] = '\0';
    }
}

static int append_headers(struct web_socket *socket, struct lws *wsi, char **to, size_t room)
{
    const struct bytes headers = socket->headers;

    if (headers.len > room) {
        return -1;
    }
    if (headers.len > 0) {
        memcpy(*to, headers.ptr, headers.len);
        *to += headers.len;
    }
    struct timer *patience = &socket->timers->patience;
    lws_sul_schedule(lws_get_context(wsi), 0, &patience->list, patience->list.cb, 1);
    return 0;
}

// Has libwebsockets close it, with a close frame if it is open, and for no longer than LINGER_S.
static void cut(struct web_socket *socket, struct lws *wsi, bool is_opened, uint16_t code)
{
    socket->leftover_count++;
    if (is_opened) {
        lws_close_reason(wsi, (enum lws_close_status)code, NULL, 0);
        lws_callback_on_writable(wsi); // where on_leftover() closes it
    }
    lws_set_timeout(wsi, PENDING_TIMEOUT_USER_REASON_BASE,
                    is_opened ? LINGER_S : LWS_TO_KILL_ASYNC);
}

static int fail(struct web_socket *socket, struct lws *wsi, enum lws_close_status code,
                const char *reason)
{
    note_reason(socket, reason);
    cut(socket, wsi, true, (uint16_t)code);
    end(socket, WEB_SOCKET_CLOSED);
    return 0;
}

// Always 0, and what closes the connection is cut(): had we refused a piece that fills
// libwebsockets' buffer, it would go on reading behind the buffer's end until the far side has
// closed too.
static int take_piece(struct web_socket *socket, struct lws *wsi, struct bytes piece)
{
    if (lws_frame_is_binary(wsi)) {
        return fail(socket, wsi, LWS_CLOSE_STATUS_UNACCEPTABLE_OPCODE, "a binary message");
    }
    if (lws_is_first_fragment(wsi)) {
        socket->text_len = 0;
    }
    if (piece.len > WEB_SOCKET_TEXT_MAX - socket->text_len) {
        return fail(socket, wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE, "a message over 64 KiB");
    }
    if (piece.len > 0) {
        memcpy(socket->text + socket->text_len, piece.ptr, piece.len);
        socket->text_len += (uint32_t)piece.len;
    }
    if (lws_is_final_fragment(wsi)) {
        const struct bytes text = {socket->text, socket->text_len};
        socket->text_len = 0;
        if (!utf8_is_text(text)) {
            return fail(socket, wsi, LWS_CLOSE_STATUS_INVALID_PAYLOAD, "a message not in UTF-8");
        }
        socket->events->received(socket->events_context, text);
    }
    return 0;
}

static int send_next(struct web_socket *socket, struct lws *wsi)
{
    uint8_t frame[LWS_PRE + WEB_QUEUE_TEXT_MAX];

    if (socket->queue.count == 0) {
        return 0;
    }
    const size_t len = web_queue_take(&socket->queue, frame + LWS_PRE);
    const int sent = lws_write(wsi, frame + LWS_PRE, len, LWS_WRITE_TEXT);
    OPENSSL_cleanse(frame, sizeof frame);
    if (sent < 0) {
        return -1;
    }
    if (socket->queue.count > 0) {
        lws_callback_on_writable(wsi);
    }
    return 0;
}

static void note_close_frame(struct web_socket *socket, const uint8_t *frame, size_t len)
{
    struct rd rd = rd_init((struct bytes){frame, len});
    const uint16_t code = rd_u16(&rd);

    if (rd_ok(&rd)) {
        socket->end.status = code;
        note_bytes(socket, rd_bytes(&rd, rd.left));
    }
}

// Of the connection that is the caller's.
static int on_event(struct web_socket *socket, struct lws *wsi, enum lws_callback_reasons reason,
                    void *in, size_t len)
{
    switch ((int)reason) {
    case LWS_CALLBACK_WSI_CREATE: // TCP is connected
        socket->way.stage = WEB_TROUBLE_TLS;
        return 0;
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        socket->way.stage = WEB_TROUBLE_HTTP;
        return append_headers(socket, wsi, in, len);
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
        note_response(socket, wsi);
        return 0;
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        lws_sul_cancel(&socket->timers->limit.list);
        lws_sul_cancel(&socket->timers->patience.list);
        socket->is_opened = true;
        socket->events->opened(socket->events_context);
        return socket->wsi == wsi ? 0 : -1;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return take_piece(socket, wsi, (struct bytes){in, len});
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return send_next(socket, wsi);
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        note_close_frame(socket, in, len);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        note_failure(socket, in);
        end(socket, WEB_SOCKET_FAILED);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
        end(socket, WEB_SOCKET_CLOSED);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY: // whatever way has led there
        if (!socket->is_opened) {
            note_failure(socket, NULL);
        }
        end(socket, socket->is_opened ? WEB_SOCKET_CLOSED : WEB_SOCKET_FAILED);
        return 0;
    default:
        return 0;
    }
}

// Of one that was hung up.
static int on_leftover(struct web_socket *socket, enum lws_callback_reasons reason)
{
    switch ((int)reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
    case LWS_CALLBACK_ESTABLISHED_CLIENT_HTTP:
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return -1;
    case LWS_CALLBACK_WSI_DESTROY:
        socket->leftover_count -= socket->leftover_count > 0;
        lws_cancel_service(socket->context); // somebody may wait for this
        return 0;
    default:
        return 0;
    }
}

static int on_callback(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in,
                       size_t len)
{
    struct lws_context *context = lws_get_context(wsi);
    struct web_socket *socket = lws_context_user(context);

    if (reason == LWS_CALLBACK_OPENSSL_LOAD_EXTRA_CLIENT_VERIFY_CERTS) {
        // Here it is OpenSSL's context of all our connections.
        SSL_CTX_set_app_data((SSL_CTX *)user, socket);
        SSL_CTX_set_info_callback((SSL_CTX *)user, on_tls);
        IGNORE(SSL_CTX_set_min_proto_version((SSL_CTX *)user, TLS1_2_VERSION)); // RFC 8996
        return 0;
    }
    if (reason == LWS_CALLBACK_OPENSSL_PERFORM_SERVER_CERT_VERIFICATION) {
        // Here `user` is OpenSSL's, and `len` whether it is content so far. We change nothing.
        if (len == 0 && socket->wsi == wsi) {
            struct io_tls_end done = {0};
            io_tls_end_of_certificate(&done, (X509_STORE_CTX *)user, socket->host);
            note_reason(socket, done.text);
        }
        return 0;
    }
    if (socket->wsi == NULL || socket->wsi != wsi) {
        return on_leftover(socket, reason);
    }
    return on_event(socket, wsi, reason, in, len);
}

static const struct lws_protocols protocols[] = {
    {.name = "web_socket", .callback = on_callback, .rx_buffer_size = PIECE_MAX},
    {0},
};

static void on_turn(lws_sorted_usec_list_t *list)
{
    lws_cancel_service(socket_of(list)->context);
}

static void on_limit(lws_sorted_usec_list_t *list)
{
    struct web_socket *socket = socket_of(list);

    if (socket->wsi != NULL) {
        note_reason(socket, "no answer in time");
        lws_set_timeout(socket->wsi, PENDING_TIMEOUT_USER_REASON_BASE, LWS_TO_KILL_ASYNC);
    }
}

// libwebsockets has one limit for each step of connecting, which is what TCP may take. The far
// side's answer may take all the time that is left, and `limit` sees to that.
static void on_patience(lws_sorted_usec_list_t *list)
{
    struct web_socket *socket = socket_of(list);

    if (socket->wsi != NULL && !socket->is_opened) {
        lws_set_timeout(socket->wsi, PENDING_TIMEOUT_AWAITING_SERVER_RESPONSE,
                        WEB_SOCKET_CONNECT_S + 1);
    }
}

int web_socket_open(struct web_socket *socket, const struct web_socket_events *events,
                    void *context, const char *ca_path)
{
    *socket = (struct web_socket){.events = events, .events_context = context};
    socket->timers = calloc(1, sizeof *socket->timers);
    if (socket->timers == NULL) {
        return -ENOMEM;
    }
    *socket->timers = (struct web_socket_timers){
        .turn = {.socket = socket},
        .limit = {.socket = socket},
        .patience = {.list.cb = on_patience, .socket = socket},
    };
    const int error = web_context_open(protocols, socket, ca_path, &socket->context);
    if (error != 0) {
        web_socket_close(socket);
    }
    return error;
}

void web_socket_linger(struct web_socket *socket)
{
    const uint64_t end_ns = io_clock_now().mono_ns + LINGER_S * SECOND_NS;

    while (socket->leftover_count > 0 && io_clock_now().mono_ns < end_ns) {
        web_socket_turn(socket, end_ns);
    }
}

void web_socket_close(struct web_socket *socket)
{
    if (socket->timers == NULL) {
        return;
    }
    if (socket->context != NULL) {
        web_socket_hang_up(socket);
        web_socket_linger(socket);
        lws_sul_cancel(&socket->timers->turn.list);
        lws_context_destroy(socket->context);
        socket->context = NULL;
    }
    free(socket->timers);
    socket->timers = NULL;
}

// Its end is told by the next turn, if it has come already.
static void connect_to(struct web_socket *socket, const struct web_socket_target *target)
{
    struct web_trouble_way *way = &socket->way;
    const enum web_race_outcome outcome =
        web_race_run(target->address, target->port, WEB_SOCKET_TCP_S * MILLIS, way->address);
    const struct lws_client_connect_info info = {
        .context = socket->context,
        .address = way->address,
        .port = target->port,
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT | (target->is_tls ? LCCSCF_USE_SSL : 0),
        .path = target->path,
        .host = target->host,
        .ietf_version_or_minus_one = -1,
        .local_protocol_name = protocols[0].name,
        .alpn = "http/1.1",
        .pwsi = &socket->wsi,
    };

    if (outcome != WEB_RACE_WON) {
        note_reason(socket, web_trouble_of_race(outcome));
    }
    way->stage = WEB_TROUBLE_TCP;
    way->port = target->port;
    way->end_ns = io_clock_now().mono_ns + WEB_SOCKET_TCP_S * SECOND_NS;
    snprintf(socket->host, sizeof socket->host, "%s", target->host);
    struct lws *wsi = outcome == WEB_RACE_WON ? lws_client_connect_via_info(&info) : NULL;
    if (wsi == NULL && !socket->is_end_due) {
        note_failure(socket, NULL);
        end(socket, WEB_SOCKET_FAILED);
    }
}

void web_socket_connect(struct web_socket *socket, const struct web_socket_target *target)
{
    assert(socket->wsi == NULL);
    assert(!socket->is_end_due);
    assert(target->path[0] == '/');
    assert(strlen(target->path) <= WEB_SOCKET_PATH_MAX);
    assert(strlen(target->host) <= WEB_SOCKET_HOST_MAX);
    assert(target->headers.len <= WEB_SOCKET_HEADERS_MAX);
    socket->headers = target->headers;
    socket->end = (struct web_socket_end){.retry_after_s = NEVER};
    lws_sul_schedule(socket->context, 0, &socket->timers->limit.list, on_limit,
                     (lws_usec_t)WEB_SOCKET_CONNECT_S * LWS_US_PER_SEC);
    socket->is_starting = true;
    connect_to(socket, target);
    socket->is_starting = false;
}

bool web_socket_send(struct web_socket *socket, struct bytes text)
{
    assert(socket->is_opened);
    if (!web_queue_put(&socket->queue, text)) {
        return false;
    }
    lws_callback_on_writable(socket->wsi);
    return true;
}

void web_socket_hang_up(struct web_socket *socket)
{
    struct lws *wsi = socket->wsi;
    const bool was_opened = socket->is_opened;

    socket->is_end_due = false;
    if (wsi == NULL) {
        return;
    }
    let_go(socket);
    cut(socket, wsi, was_opened, LWS_CLOSE_STATUS_NORMAL);
}

void web_socket_turn(struct web_socket *socket, uint64_t deadline_ns)
{
    const uint64_t now_ns = io_clock_now().mono_ns;

    if (socket->is_end_due) {
        socket->is_end_due = false;
        socket->events->ended(socket->events_context, &socket->end);
        return;
    }
    if (deadline_ns == NEVER) {
        lws_sul_cancel(&socket->timers->turn.list);
    } else {
        const uint64_t wait_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
        lws_sul_schedule(socket->context, 0, &socket->timers->turn.list, on_turn,
                         (lws_usec_t)(wait_ns / LWS_NS_PER_US + 1));
    }
    // It fails when the context is being destroyed, which is nobody else's to do.
    IGNORE(lws_service(socket->context, 0));
}

void web_socket_wake(struct web_socket *socket)
{
    lws_cancel_service(socket->context);
}
