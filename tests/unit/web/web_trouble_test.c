// SPDX-License-Identifier: Apache-2.0
// What an operator reads of each way in which a connection cannot be had, from connections that
// really fail so.
#include "web/web_trouble.h"

#include <openssl/ssl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "far_side.h"
#include "io/io_clock.h"
#include "near_side.h"

static struct near_side near;
static struct far_side far;

static int setup(void **state)
{
    (void)state;
    far_side_open(&far, "localhost", 0);
    near_side_open(&near, far.certificate);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    near_side_close(&near);
    far_side_close(&far);
    return 0;
}

static void expect_reason(const char *wanted)
{
    near_side_turn_until(&near, &near.ended_count, 1);
    near_side_settle(&near);
    assert_string_equal(near.end.reason, wanted);
}

// --- no address, no TCP ------------------------------------------------------------------------

static void expect_none_at(const char *address, uint16_t port, const char *wanted)
{
    near_side_connect_to(&near, address, port, false);
    expect_reason(wanted);
    assert_int_equal(near.end.kind, WEB_SOCKET_FAILED);
}

static void says_why_tcp_leads_nowhere(void **state)
{
    (void)state;
    expect_none_at("no name at all", 1, "the name is not found");
    expect_none_at("127.0.0.9", 1, "connection refused: nothing listens at that port");
    expect_none_at("::1", 1, "connection refused: nothing listens at that port");
    expect_none_at("255.255.255.255", 1, "no route leads there");
}

static void knows_tcp_that_has_waited_from_tcp_that_was_refused(void **state)
{
    struct web_trouble_way way = {
        .stage = WEB_TROUBLE_TCP, .address = "127.0.0.9", .port = 1, .end_ns = NEVER};

    (void)state;
    assert_string_equal(web_trouble_of_way(&way, NULL),
                        "connection refused: nothing listens at that port");
    way.end_ns = io_clock_now().mono_ns;
    assert_string_equal(web_trouble_of_way(&way, NULL), "no answer to TCP in time");
    way = (struct web_trouble_way){
        .stage = WEB_TROUBLE_TCP, .address = "127.0.0.1", .port = far.port, .end_ns = NEVER};
    assert_string_equal(web_trouble_of_way(&way, NULL),
                        "TCP failed, but did not when it was tried again");
}

// --- no TLS ------------------------------------------------------------------------------------

static void expect_no_tls(void (*script)(struct far_side *far), const char *wanted)
{
    far_side_play(&far, script);
    near_side_connect_to(&near, "127.0.0.1", far.port, true);
    expect_reason(wanted);
    assert_int_equal(near.end.kind, WEB_SOCKET_FAILED);
    far_side_end(&far);
}

static void answer_in_the_clear(struct far_side *to)
{
    far_side_write(to, bytes_of_text("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"));
    far_side_wait_for_end(to);
}

static void take_a_byte_and_go(struct far_side *to)
{
    far_side_write(to, bytes_of_text("\x16")); // of a handshake's record
}

static void reset_it(struct far_side *to)
{
    far_side_take_bytes(to);
    far_side_reset(to);
}

static void say_nothing(struct far_side *to)
{
    far_side_wait_for_end(to);
}

static void says_why_there_is_no_tls(void **state)
{
    (void)state;
    expect_no_tls(answer_in_the_clear, "what came is not TLS, but plain HTTP perhaps");
    expect_no_tls(take_a_byte_and_go, "the other side closed the connection in the handshake");
    expect_no_tls(reset_it, "the other side closed the connection in the handshake");
}

static void says_that_versions_of_tls_are_too_old(void **state)
{
    struct far_side old;

    (void)state;
    far_side_open(&old, "localhost", TLS1_1_VERSION);
    old.is_tls = true;
    far_side_play(&old, say_nothing);
    near_side_connect(&near, &old);
    expect_reason("the other side refused: it speaks no version of TLS that we do (alert 70)");
    far_side_close(&old);
}

static void says_what_is_wrong_with_a_certificate(void **state)
{
    struct far_side other;

    (void)state;
    far_side_open(&other, "localhost", 0);
    other.is_tls = true;
    far_side_play(&other, say_nothing);
    near_side_connect(&near, &other);
    expect_reason("the certificate of 'localhost' is signed by itself, and not trusted here");
    far_side_close(&other);

    near_side_close(&near);
    far_side_open(&other, "portal.example", 0);
    other.is_tls = true;
    near_side_open(&near, other.certificate);
    far_side_play(&other, say_nothing);
    near_side_connect(&near, &other);
    expect_reason("the certificate is not for localhost but for portal.example");
    far_side_close(&other);
}

// --- no WebSocket ------------------------------------------------------------------------------

static void respond(struct far_side *to)
{
    far_side_take_request(to);
    far_side_write(to, bytes_of_text(to->context));
}

static void expect_response_is(const char *response, const char *wanted)
{
    far.context = response;
    far_side_play(&far, respond);
    near_side_connect(&near, &far);
    expect_reason(wanted);
    far_side_end(&far);
}

static void says_why_there_is_no_websocket(void **state)
{
    static char long_line[20000];

    (void)state;
    expect_response_is("", "the other side closed the connection without an answer");
    memset(long_line, 'x', sizeof long_line - 1);
    expect_response_is(long_line, "the answer is not HTTP");
    expect_response_is("HTTP/1.1 101 Yes\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       "Sec-WebSocket-Accept: bm90IHdoYXQgd2FzIGFza2VkIGZvcg==\r\n\r\n",
                       "the answer agrees to something else than WebSocket");
    expect_response_is("HTTP/1.1 101 Yes\r\nUpgrade: h2c\r\n\r\n",
                       "the answer agrees to something else than WebSocket");
}

static void says_what_a_status_means(void **state)
{
    static const struct {
        const char *response;
        const char *wanted;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
         "a web server answers, which knows no WebSocket there"},
        {"HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n",
         "it redirects to elsewhere, which is not followed"},
        {"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", "it has nothing at that path"},
        {"HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n",
         "a proxy stands between, and wants a password"},
        {"HTTP/1.1 502 No\r\nContent-Length: 0\r\n\r\n",
         "a proxy stands in front, and does not reach it"},
        {"HTTP/1.1 504 No\r\nContent-Length: 0\r\n\r\n",
         "a proxy stands in front, and does not reach it"},
        {"HTTP/1.1 401 No\r\nContent-Length: 0\r\n\r\n", ""}, // who refuses knows why, and says so
        {"HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        expect_response_is(cases[i].response, cases[i].wanted);
        assert_int_equal(near.end.kind, WEB_SOCKET_REFUSED);
    }
}

// Whoever forgets the s of https meets this.
static void says_that_tls_is_no_http(void **state)
{
    (void)state;
    far.is_tls = true;
    far_side_play(&far, say_nothing);
    near_side_connect_to(&near, "127.0.0.1", far.port, false);
    expect_reason("the other side closed the connection without an answer");
    far_side_end(&far);
}

#define TROUBLE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TROUBLE(says_why_tcp_leads_nowhere),
        TROUBLE(knows_tcp_that_has_waited_from_tcp_that_was_refused),
        TROUBLE(says_why_there_is_no_tls),
        TROUBLE(says_that_versions_of_tls_are_too_old),
        TROUBLE(says_what_is_wrong_with_a_certificate),
        TROUBLE(says_why_there_is_no_websocket),
        TROUBLE(says_what_a_status_means),
        TROUBLE(says_that_tls_is_no_http),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
