// SPDX-License-Identifier: Apache-2.0
// One request for each connection, GET or HEAD, of a file below the directory in which it was
// started. A directory is its index.html, or a list of what is in it.
#define _GNU_SOURCE
#include "tunnel/tunnel_http.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/daemon_tell.h"
#include "http/http_date.h"
#include "http/http_head.h"
#include "http/http_path.h"
#include "http/http_request.h"
#include "io/io_clock.h"
#include "io/io_fd.h"
#include "tunnel/tunnel_files.h"
#include "tunnel/tunnel_service_options.h"
#include "tunnel/tunnel_visitors.h"

enum {
    PART_LEN = 16384,   // bytes of a file that are read at once
    PARTS_PER_TURN = 8, // then others have their turn
    PATH_LEN_MAX = 4096,
    HEAD_LEN_MAX = HTTP_REQUEST_HEAD_MAX + 1024, // bytes: it may repeat a path
};

struct server {
    struct tunnel_side side;
    struct tunnel_agent agent;
    struct tunnel_visitors visitors;
    int root_fd;
};

// What a visitor asks, and what is sent.
struct exchange {
    bool is_answered;
    uint32_t received_len;
    uint8_t received[HTTP_REQUEST_MAX];
    int fd;                    // the file
    uint64_t at;               // in it, or in the page: what is sent next
    uint64_t len;              // bytes of the file or the page
    char *page;                // or NULL
    struct tunnel_timer again; // it has had its turn, and there is more
};

// What an answer says.
struct answer {
    enum http_status status;
    const char *type;
    char fields[HTTP_REQUEST_HEAD_MAX + 64];
};

static struct exchange *exchange_of(struct tunnel_visitor *visitor)
{
    return (struct exchange *)visitor->own;
}

// --- sending -------------------------------------------------------------------------------------

// The next part. False: there is none, since the file has become shorter.
static bool send_part(struct tunnel_visitor *visitor, struct exchange *exchange)
{
    uint8_t buffer[PART_LEN];
    const uint64_t left = exchange->len - exchange->at;
    const size_t len = left < PART_LEN ? (size_t)left : PART_LEN;
    struct bytes part = {0};

    if (exchange->page != NULL) {
        part = (struct bytes){(const uint8_t *)exchange->page + exchange->at, len};
    } else {
        const ssize_t got = pread(exchange->fd, buffer, len, (off_t)exchange->at);
        if (got <= 0) {
            return false;
        }
        part = (struct bytes){buffer, (size_t)got};
    }
    exchange->at += part.len;
    return io_tls_send(&visitor->tls, part) == 0;
}

static void send_rest(struct tunnel_visitor *visitor)
{
    struct exchange *exchange = exchange_of(visitor);
    struct tunnel_timers *timers = &visitor->visitors->side->timers;

    tunnel_visitors_wait(visitor);
    for (int i = 0; i < PARTS_PER_TURN && exchange->at < exchange->len; i++) {
        if (io_tls_queued(&visitor->tls) > 0) {
            return; // drained() goes on
        }
        if (!send_part(visitor, exchange)) {
            io_tls_expire(&visitor->tls); // without a good end, so that what is missing shows
            return;
        }
    }
    if (exchange->at == exchange->len) {
        tunnel_visitors_leave(visitor);
    } else if (io_tls_queued(&visitor->tls) == 0) {
        tunnel_timers_set(timers, &exchange->again, io_clock_mono_ns() + 1);
    }
}

static void on_again(struct tunnel_timer *timer)
{
    send_rest(timer->context);
}

static void drained(struct tunnel_visitor *visitor)
{
    if (exchange_of(visitor)->is_answered) {
        send_rest(visitor);
    }
}

// --- answering -----------------------------------------------------------------------------------

// A page that says no more than the status.
static void fail(struct exchange *exchange, struct answer *answer, enum http_status status)
{
    size_t len = 0;
    FILE *page = open_memstream(&exchange->page, &len);

    answer->status = status;
    answer->type = "text/plain; charset=utf-8";
    if (page != NULL) {
        fprintf(page, "%s\n", http_status_phrase(status));
        exchange->len = fclose(page) == 0 ? len : 0;
    }
}

// The path without its end: the directory is at another URL.
static void move_on(struct exchange *exchange, struct answer *answer, struct bytes path)
{
    while (path.len > 1 && path.ptr[1] == '/') {
        path = bytes_from(path, 1); // two slashes would lead to another host
    }
    fail(exchange, answer, HTTP_STATUS_MOVED);
    snprintf(answer->fields, sizeof answer->fields, "Location: %.*s/\r\n", (int)path.len,
             (const char *)path.ptr);
}

static void show_folder(const struct server *server, struct exchange *exchange,
                        struct answer *answer, const char *path, int folder_fd)
{
    char index[PATH_LEN_MAX + sizeof "index.html"];
    char title[PATH_LEN_MAX + 2];
    size_t len = 0;

    snprintf(index, sizeof index, "%sindex.html", path);
    if (tunnel_files_open(server->root_fd, index, &exchange->fd, &exchange->len) ==
        TUNNEL_FILES_FILE) {
        io_fd_close(&folder_fd);
        answer->type = tunnel_files_type(index);
        return;
    }
    io_fd_close(&exchange->fd); // a directory of that name
    exchange->len = 0;
    snprintf(title, sizeof title, "/%s", path);
    if (tunnel_files_list(folder_fd, title, &exchange->page, &len) != 0) {
        exchange->page = NULL;
        fail(exchange, answer, HTTP_STATUS_INTERNAL_ERROR);
        return;
    }
    exchange->len = len;
    answer->type = "text/html; charset=utf-8";
}

static void show(const struct server *server, struct exchange *exchange, struct answer *answer,
                 const struct http_request *request, const char *path)
{
    const size_t path_len = strlen(path);
    int fd = -1;

    switch (tunnel_files_open(server->root_fd, path, &fd, &exchange->len)) {
    case TUNNEL_FILES_FILE:
        exchange->fd = fd;
        answer->type = tunnel_files_type(path);
        return;
    case TUNNEL_FILES_FOLDER:
        if (path_len > 0 && path[path_len - 1] != '/') {
            io_fd_close(&fd);
            move_on(exchange, answer, request->path);
        } else {
            show_folder(server, exchange, answer, path, fd);
        }
        return;
    case TUNNEL_FILES_MISSING:
        fail(exchange, answer, HTTP_STATUS_NOT_FOUND);
        return;
    case TUNNEL_FILES_FORBIDDEN:
        fail(exchange, answer, HTTP_STATUS_FORBIDDEN);
        return;
    case TUNNEL_FILES_FAILED:
        fail(exchange, answer, HTTP_STATUS_INTERNAL_ERROR);
        return;
    }
}

static void find(const struct server *server, struct exchange *exchange, struct answer *answer,
                 const struct http_request *request)
{
    char path[PATH_LEN_MAX];
    struct wr wr = wr_init((uint8_t *)path, sizeof path - 1);

    switch (http_path_read(request->path, &wr)) {
    case HTTP_PATH_GOOD:
        path[wr.len] = '\0';
        show(server, exchange, answer, request, path);
        return;
    case HTTP_PATH_BAD:
        fail(exchange, answer, HTTP_STATUS_BAD_REQUEST);
        return;
    case HTTP_PATH_OUTSIDE:
        fail(exchange, answer, HTTP_STATUS_FORBIDDEN);
        return;
    case HTTP_PATH_LONG:
        fail(exchange, answer, HTTP_STATUS_URI_TOO_LONG);
        return;
    }
}

static void answer_request(struct tunnel_visitor *visitor, enum http_request_outcome outcome,
                           const struct http_request *request)
{
    const struct server *server = visitor->visitors->context;
    struct exchange *exchange = exchange_of(visitor);
    struct answer answer = {.status = HTTP_STATUS_OK, .fields = ""};
    const bool is_head = bytes_equal_text(request->method, "HEAD");
    uint8_t head[HEAD_LEN_MAX];
    uint8_t date[HTTP_DATE_LEN + 1] = {0};
    struct wr wr = wr_init(head, sizeof head);
    struct wr date_wr = wr_init(date, HTTP_DATE_LEN);

    exchange->is_answered = true;
    if (outcome != HTTP_REQUEST_WHOLE) {
        fail(exchange, &answer, (enum http_status)outcome);
    } else if (is_head || bytes_equal_text(request->method, "GET")) {
        find(server, exchange, &answer, request);
    } else {
        fail(exchange, &answer, HTTP_STATUS_METHOD_NOT_ALLOWED);
        snprintf(answer.fields, sizeof answer.fields, "Allow: GET, HEAD\r\n");
    }
    http_date_write(&date_wr, io_clock_now().wall_s);
    http_head_write(&wr, &(struct http_head){
                             .status = answer.status,
                             .date = (const char *)date,
                             .type = answer.type,
                             .fields = answer.fields,
                             .body_len = exchange->len,
                         });
    assert(wr_ok(&wr)); // there is room for the longest path
    exchange->at = is_head ? exchange->len : 0;
    // It fails only with a connection that has ended, as is told then.
    IGNORE(io_tls_send(&visitor->tls, wr_done(&wr)));
    send_rest(visitor);
}

// All of the request has to come in this time, however slowly.
static void opened(struct tunnel_visitor *visitor)
{
    struct exchange *exchange = exchange_of(visitor);

    exchange->fd = -1;
    exchange->again = (struct tunnel_timer){.fn = on_again, .context = visitor};
    tunnel_visitors_wait(visitor);
}

static void received(struct tunnel_visitor *visitor, struct bytes bytes)
{
    struct exchange *exchange = exchange_of(visitor);
    struct http_request request = {.method = {0}};

    if (exchange->is_answered) {
        return;
    }
    bytes = bytes_first(bytes, sizeof exchange->received - exchange->received_len);
    memcpy(exchange->received + exchange->received_len, bytes.ptr, bytes.len);
    exchange->received_len += (uint32_t)bytes.len;
    const enum http_request_outcome outcome =
        http_request_read((struct bytes){exchange->received, exchange->received_len}, &request);
    if (outcome != HTTP_REQUEST_PART) {
        answer_request(visitor, outcome, &request);
    }
}

// Whoever has asked may say that this was all, and wait for the answer.
static void half_closed(struct tunnel_visitor *visitor)
{
    if (!exchange_of(visitor)->is_answered) {
        tunnel_visitors_leave(visitor);
    }
}

static void ended(struct tunnel_visitor *visitor)
{
    struct exchange *exchange = exchange_of(visitor);

    if (exchange->again.fn != NULL) { // it was opened
        io_fd_close(&exchange->fd);
        free(exchange->page);
        tunnel_timers_clear(&visitor->visitors->side->timers, &exchange->again);
    }
}

static const struct tunnel_visitors_events events = {
    .own_size = sizeof(struct exchange),
    .opened = opened,
    .received = received,
    .drained = drained,
    .half_closed = half_closed,
    .ended = ended,
};

int tunnel_http(const struct daemon_load_sources *sources)
{
    static struct server server;
    static struct tunnel_service_config config;
    const struct conf_program program = {
        .name = tunnel_side_name(sources, "fairlead-tunnel http"),
        .summary = "Serves the files of the current directory by HTTP, to clients that come "
                   "through a relay. The first line that it writes says where they find it. TLS is "
                   "spoken with them from end to end.",
    };
    int status = EXIT_FAILURE;

    if (!tunnel_service_options_read(sources, &tunnel_service_options_little, &program, &config,
                                     &status)) {
        return status;
    }
    server.visitors.context = &server;
    server.root_fd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const struct tunnel_service service = tunnel_visitors_service(&server.visitors);
    if (server.root_fd < 0) {
        daemon_tell_mistake(program.name, "the current directory cannot be opened");
    } else if (tunnel_side_open(&server.side, program.name, config.agent.core.connection_max) &&
               tunnel_visitors_open(&server.visitors, &server.side, &server.agent,
                                    config.application, &events) &&
               tunnel_agent_open(&server.agent, &server.side, &config.agent, &service)) {
        tunnel_side_run(&server.side);
        status = server.side.status;
    }
    tunnel_visitors_close(&server.visitors);
    tunnel_agent_close(&server.agent);
    tunnel_side_close(&server.side);
    io_fd_close(&server.root_fd);
    return status;
}
