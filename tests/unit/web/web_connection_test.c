// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "web/web_connection.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_clock.h"
#include "web_client.h"

static struct web_server server;
static struct io_loop loop;
static char received[WEB_CLIENT_BIG_LEN + WEB_CONNECTION_HEAD_MAX];

static int setup(void **state)
{
    static struct addr at;

    web_client_open_server(&server, &loop, &at);
    *state = &at;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    web_server_close(&server);
    web_server_close(&server);
    assert_int_equal(loop.watch_count, 0);
    io_loop_close(&loop);
    return 0;
}

// What comes back for a text.
static const char *ask(void **state, const char *text)
{
    web_client_receive(&server, &loop, web_client_send(*state, 1, text), received, sizeof received);
    return received;
}

static void assert_starts(const char *text, const char *start)
{
    assert_memory_equal(text, start, strlen(start));
}

static const char *body_of(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n");

    assert_non_null(end);
    return end + 4;
}

static void answers(void **state)
{
    const char *text = ask(state, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");

    assert_starts(text, "HTTP/1.1 200 OK\r\nDate: ");
    assert_non_null(strstr(text, " GMT\r\nContent-Type: text/plain; charset=utf-8\r\n"
                                 "Content-Length: 6\r\nConnection: close\r\n"));
    assert_string_equal(body_of(text), "hello\n");
    assert_int_equal(web_server_connection_count(&server), 0);
}

static void answers_head_without_a_body(void **state)
{
    const char *text = ask(state, "HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");

    assert_non_null(strstr(text, "\r\nContent-Length: 6\r\n"));
    assert_string_equal(body_of(text), "");
}

static void answers_with_a_file(void **state)
{
    const char *text = ask(state, "GET /file HTTP/1.0\r\n\r\n");

    assert_non_null(strstr(text, "\r\nContent-Type: text/html\r\nContent-Length: 4\r\n"));
    assert_non_null(strstr(text, "\r\nX-Frame-Options: DENY\r\n"));
    assert_string_equal(body_of(text), "file");
}

static void hands_query_and_body_over(void **state)
{
    assert_string_equal(
        body_of(ask(state, "POST /take?a=b HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nxyz")),
        "a=bxyz");
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *request, *answer;
    } table[] = {
        {"GET /nothing HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 404 Not Found\r\n"},
        {"DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n"},
        {"GET /hello HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"\x16\x03\x01", "HTTP/1.1 400 Bad Request\r\n"},
        {"GET /hello HTTP/2.0\r\n\r\n", "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
        {"POST /take HTTP/1.1\r\nHost: a\r\nContent-Length: 9999\r\n\r\n",
         "HTTP/1.1 413 Content Too Large\r\n"},
        {"GET /too-big HTTP/1.1\r\nHost: a\r\n\r\n", "HTTP/1.1 500 Internal Server Error\r\n"},
    };

    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_starts(ask(state, table[i].request), table[i].answer);
    }
}

// An answer arrives although bytes of the client were never read.
static void refuses_a_head_without_end(void **state)
{
    static char text[HTTP_REQUEST_MAX * 4];

    memset(text, 'a', sizeof text - 1);
    memcpy(text, "GET / HTTP/1.1\r\nX: ", 19);
    assert_starts(ask(state, text), "HTTP/1.1 431 Request Header Fields Too Large\r\n");
    memset(text, 'a', sizeof text - 1);
    assert_starts(ask(state, text), "HTTP/1.1 414 URI Too Long\r\n");
}

static void takes_a_request_byte_by_byte(void **state)
{
    static const char text[] = "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n";
    const int fd = web_client_send(*state, 1, "");

    for (size_t i = 0; i + 1 < sizeof text; i++) {
        assert_int_equal(send(fd, &text[i], 1, MSG_NOSIGNAL), 1);
        web_client_settle(&server, &loop);
    }
    web_client_receive(&server, &loop, fd, received, sizeof received);
    assert_string_equal(body_of(received), "hello\n");
}

static void sends_what_does_not_fit_at_once(void **state)
{
    const int fd = web_client_ask_big(&server, &loop, *state, 1);

    assert_int_equal(web_server_connection_count(&server), 1);
    const size_t len = web_client_receive(&server, &loop, fd, received, sizeof received);
    assert_in_range(len, WEB_CLIENT_BIG_LEN + 1, WEB_CLIENT_BIG_LEN + WEB_CONNECTION_HEAD_MAX);
}

static void assert_ends_after(uint64_t seconds)
{
    struct now now = io_clock_now();

    web_client_settle(&server, &loop);
    assert_int_equal(web_server_connection_count(&server), 1);
    const uint64_t next_ns = web_server_tick(&server, now);
    assert_in_range(next_ns, now.mono_ns + (seconds - 1) * SECOND_NS,
                    now.mono_ns + (seconds + 1) * SECOND_NS);
    now.mono_ns = next_ns;
    assert_true(web_server_tick(&server, now) == NEVER);
    assert_int_equal(web_server_connection_count(&server), 0);
}

static void gives_each_state_its_time(void **state)
{
    int fd = web_client_send(*state, 1, "GET /he");
    assert_ends_after(WEB_CONNECTION_REQUEST_S);
    close(fd);

    // It takes none of its answer.
    fd = web_client_ask_big(&server, &loop, *state, 1);
    assert_ends_after(WEB_CONNECTION_ANSWER_S);
    close(fd);

    // It has its answer and does not close.
    fd = web_client_send(*state, 1, "GET /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    assert_ends_after(WEB_CONNECTION_LINGER_S);
    close(fd);
}

static void survives_clients_that_vanish(void **state)
{
    static const char *const texts[] = {"", "GET", "GET /big HTTP/1.1\r\nHost: a\r\n\r\n"};
    static const struct linger reset = {.l_onoff = 1};

    for (size_t i = 0; i < 2 * COUNT_OF(texts); i++) {
        const int fd = web_client_send(*state, 1, texts[i / 2]);
        if (i % 2 == 1) {
            assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset), 0);
        }
        web_client_settle(&server, &loop);
        close(fd);
        web_client_settle(&server, &loop);
    }
    assert_int_equal(web_server_connection_count(&server), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_head_without_a_body, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_with_a_file, setup, teardown),
        cmocka_unit_test_setup_teardown(hands_query_and_body_over, setup, teardown),
        cmocka_unit_test_setup_teardown(says_what_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_a_head_without_end, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_a_request_byte_by_byte, setup, teardown),
        cmocka_unit_test_setup_teardown(sends_what_does_not_fit_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_each_state_its_time, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_clients_that_vanish, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
