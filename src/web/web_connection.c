// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "web/web_connection.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "http/http_date.h"
#include "http/http_head.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "log/log.h"

static void enter(struct web_connection *connection, enum web_connection_state state,
                  struct now now)
{
    static const uint64_t seconds[] = {
        [WEB_CONNECTION_RECEIVING] = WEB_CONNECTION_REQUEST_S,
        [WEB_CONNECTION_SENDING] = WEB_CONNECTION_ANSWER_S,
        [WEB_CONNECTION_LINGERING] = WEB_CONNECTION_LINGER_S,
    };

    assert(state == connection->state + 1);
    connection->state = state;
    connection->deadline_ns = now.mono_ns + seconds[state] * SECOND_NS;
}

static void give_up_answer(struct web_connection *connection)
{
    if (connection->answer != NULL) {
        assert(connection->answer->holder == connection);
        connection->answer->holder = NULL;
        connection->answer = NULL;
    }
}

void web_connection_close(struct web_connection *connection)
{
    if (connection->state == WEB_CONNECTION_FREE) {
        return;
    }
    io_loop_remove(connection->loop, &connection->watch);
    io_fd_close(&connection->watch.fd);
    give_up_answer(connection);
    connection->state = WEB_CONNECTION_FREE;
}

// Waits for what the state needs next. A connection that cannot wait is closed.
static void await(struct web_connection *connection, uint32_t events)
{
    if (io_loop_modify(connection->loop, &connection->watch, events) != 0) {
        web_connection_close(connection);
    }
}

// Drops what still comes, until the client has closed.
static void linger(struct web_connection *connection)
{
    ssize_t len = 0;

    // What comes without end is cut off by the deadline, and meanwhile costs one call per event.
    len = recv(connection->watch.fd, connection->received, sizeof connection->received, 0);
    if (len == 0 || (len < 0 && errno != EAGAIN && errno != EINTR)) {
        web_connection_close(connection);
    }
}

static void finish(struct web_connection *connection, struct now now)
{
    give_up_answer(connection);
    if (shutdown(connection->watch.fd, SHUT_WR) != 0) {
        web_connection_close(connection);
        return;
    }
    enter(connection, WEB_CONNECTION_LINGERING, now);
    await(connection, IO_READABLE);
}

static void send_rest(struct web_connection *connection, struct now now)
{
    struct iovec spans[COUNT_OF(connection->unsent)];
    struct msghdr message = {.msg_iov = spans, .msg_iovlen = COUNT_OF(spans)};

    for (size_t i = 0; i < COUNT_OF(spans); i++) {
        const struct bytes span = connection->unsent[i];
        spans[i] = (struct iovec){.iov_base = (void *)(uintptr_t)span.ptr, .iov_len = span.len};
    }
    const ssize_t sent = sendmsg(connection->watch.fd, &message, MSG_NOSIGNAL);
    if (sent < 0 && errno != EAGAIN && errno != EINTR) {
        web_connection_close(connection);
        return;
    }
    size_t left = sent < 0 ? 0 : (size_t)sent;
    for (size_t i = 0; i < COUNT_OF(spans); i++) {
        const size_t part = bytes_first(connection->unsent[i], left).len;
        connection->unsent[i] = bytes_from(connection->unsent[i], part);
        left -= part;
    }
    assert(left == 0);
    if (connection->unsent[0].len + connection->unsent[1].len == 0) {
        finish(connection, now);
    } else {
        await(connection, IO_WRITABLE);
    }
}

static struct web_answer compose(struct web_connection *connection,
                                 enum http_request_outcome outcome,
                                 const struct http_request *request)
{
    struct web_answer answer = {
        .status = HTTP_STATUS_OK,
        .type = "text/plain; charset=utf-8",
        .fields = "",
        .body = wr_init(connection->answer->body, sizeof connection->answer->body),
    };

    if (outcome == HTTP_REQUEST_WHOLE) {
        web_site_answer(connection->site, request, &answer);
    } else {
        answer.status = (enum http_status)outcome;
        wr_text(&answer.body, http_status_phrase(answer.status));
        wr_u8(&answer.body, '\n');
    }
    if (!wr_ok(&answer.body)) {
        LOG_ERROR("an HTTP response does not fit", LOG_BYTES("path", request->path),
                  LOG_NUMBER("body_max", sizeof connection->answer->body));
        answer.status = HTTP_STATUS_INTERNAL_ERROR;
        answer.body = wr_init(connection->answer->body, sizeof connection->answer->body);
    }
    return answer;
}

static void answer_request(struct web_connection *connection, enum http_request_outcome outcome,
                           const struct http_request *request, struct now now)
{
    uint8_t date[HTTP_DATE_LEN + 1] = {0};
    struct wr date_wr = wr_init(date, HTTP_DATE_LEN);

    connection->answer = connection->take_answer(connection);
    assert(connection->answer->holder == NULL);
    connection->answer->holder = connection;
    const struct web_answer answer = compose(connection, outcome, request);
    const struct bytes body = answer.file.len > 0 ? answer.file : wr_done(&answer.body);
    struct wr head = wr_init(connection->answer->head, sizeof connection->answer->head);
    http_date_write(&date_wr, now.wall_s);
    http_head_write(&head, &(struct http_head){
                               .status = answer.status,
                               .date = (const char *)date,
                               .type = answer.type,
                               .fields = answer.fields,
                               .body_len = body.len,
                           });
    assert(wr_ok(&head)); // its parts are our own
    const bool is_head = bytes_equal_text(request->method, "HEAD");
    connection->unsent[0] = wr_done(&head);
    connection->unsent[1] = is_head ? (struct bytes){0} : body;
    enter(connection, WEB_CONNECTION_SENDING, now);
    send_rest(connection, now);
}

static void receive(struct web_connection *connection, struct now now)
{
    struct http_request request = {0};
    const size_t room = sizeof connection->received - connection->received_len;

    assert(room > 0); // or the request was not a part
    const ssize_t len =
        recv(connection->watch.fd, connection->received + connection->received_len, room, 0);
    if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
        return;
    }
    if (len <= 0) {
        web_connection_close(connection);
        return;
    }
    connection->received_len += (size_t)len;
    const enum http_request_outcome outcome =
        http_request_read((struct bytes){connection->received, connection->received_len}, &request);
    if (outcome != HTTP_REQUEST_PART) {
        answer_request(connection, outcome, &request, now);
    }
}

static void on_event(struct io_watch *watch, uint32_t events)
{
    struct web_connection *connection = watch->context;
    const struct now now = io_clock_now();

    (void)events;
    switch (connection->state) {
    case WEB_CONNECTION_RECEIVING:
        receive(connection, now);
        break;
    case WEB_CONNECTION_SENDING:
        send_rest(connection, now);
        break;
    case WEB_CONNECTION_LINGERING:
        linger(connection);
        break;
    case WEB_CONNECTION_FREE:
        assert(!"what is free is not watched");
        break;
    }
}

void web_connection_open(struct web_connection *connection, int fd, const struct addr *network,
                         struct now now)
{
    assert(connection->state == WEB_CONNECTION_FREE);
    connection->network = *network;
    connection->received_len = 0;
    connection->watch = (struct io_watch){.fd = fd, .fn = on_event, .context = connection};
    enter(connection, WEB_CONNECTION_RECEIVING, now);
    if (io_loop_add(connection->loop, &connection->watch, IO_READABLE) != 0) {
        web_connection_close(connection);
        return;
    }
    // Most clients have sent their request by now.
    receive(connection, now);
}
