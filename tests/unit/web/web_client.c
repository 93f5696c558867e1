// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "web_client.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "io/io_sockaddr.h"

enum { SETTLE_NS = 2000000, RECEIVE_TRY_MAX = 10000 };

static void hello(void *context, const struct http_request *request, struct web_answer *answer)
{
    (void)context;
    (void)request;
    wr_text(&answer->body, "hello\n");
}

static void big(void *context, const struct http_request *request, struct web_answer *answer)
{
    (void)context;
    (void)request;
    wr_zero(&answer->body, WEB_CLIENT_BIG_LEN);
}

static void too_big(void *context, const struct http_request *request, struct web_answer *answer)
{
    (void)context;
    (void)request;
    wr_zero(&answer->body, WEB_CLIENT_BIG_LEN + 1);
}

static void file(void *context, const struct http_request *request, struct web_answer *answer)
{
    static const struct bytes text = BYTES_LITERAL("file");

    (void)context;
    (void)request;
    answer->file = text;
    answer->type = "text/html";
    answer->fields = "X-Frame-Options: DENY\r\n";
}

static void take(void *context, const struct http_request *request, struct web_answer *answer)
{
    (void)context;
    wr_bytes(&answer->body, request->query);
    wr_bytes(&answer->body, request->body);
}

static const struct web_route routes[] = {
    {"GET", "/hello", hello}, {"GET", "/big", big},    {"GET", "/too-big", too_big},
    {"GET", "/file", file},   {"POST", "/take", take},
};

const struct web_site web_client_site = {.routes = routes, .route_count = COUNT_OF(routes)};

void web_client_open_server(struct web_server *server, struct io_loop *loop, struct addr *at)
{
    const struct addr any = addr_ip4((const uint8_t[]){127, 0, 0, 1}, 0);

    assert_int_equal(io_loop_open(loop), 0);
    assert_int_equal(web_server_open(server, loop), 0);
    assert_int_equal(web_server_listen(server, &any, &web_client_site, at), 0);
    assert_int_not_equal(at->port, 0);
}

int web_client_send(const struct addr *at, uint8_t last, const char *text)
{
    const struct addr own = addr_ip4((const uint8_t[]){127, 0, 0, last}, 0);
    struct sockaddr_storage storage = {0};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    socklen_t len = io_sockaddr_write(&own, 0, &storage);
    assert_int_equal(bind(fd, (struct sockaddr *)&storage, len), 0);
    len = io_sockaddr_write(at, 0, &storage);
    assert_int_equal(connect(fd, (struct sockaddr *)&storage, len), 0);
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
    return fd;
}

int web_client_ask_big(struct web_server *server, struct io_loop *loop, const struct addr *at,
                       uint8_t last)
{
    static const char big[] = "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
    static const int small = 32768;
    const int fd = web_client_send(at, last, "");

    assert_true(fd >= 0);
    web_client_settle(server, loop);
    for (size_t i = 0; i < COUNT_OF(server->connections); i++) {
        if (server->connections[i].state == WEB_CONNECTION_RECEIVING) {
            assert_int_equal(setsockopt(server->connections[i].watch.fd, SOL_SOCKET, SO_SNDBUF,
                                        &small, sizeof small),
                             0);
        }
    }
    assert_int_equal(send(fd, big, sizeof big - 1, MSG_NOSIGNAL), sizeof big - 1);
    web_client_settle(server, loop);
    return fd;
}

void web_client_settle(struct web_server *server, struct io_loop *loop)
{
    do {
        const struct now now = io_clock_now();
        (void)web_server_tick(server, now);
        assert_int_equal(io_loop_turn(loop, now.mono_ns + SETTLE_NS), 0);
    } while (loop->event_count > 0);
}

size_t web_client_receive(struct web_server *server, struct io_loop *loop, int fd, char *out,
                          size_t room)
{
    size_t len = 0;

    for (int i = 0; i < RECEIVE_TRY_MAX; i++) {
        const ssize_t got = recv(fd, out + len, room - 1 - len, MSG_DONTWAIT);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            break;
        }
        len += got > 0 ? (size_t)got : 0;
        assert_in_range(len, 0, room - 2);
        web_client_settle(server, loop);
    }
    out[len] = '\0';
    close(fd);
    web_client_settle(server, loop);
    return len;
}
