// SPDX-License-Identifier: Apache-2.0
#include "http/http_request.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char whole[] = "POST /log_filter?directives=info HTTP/1.1\r\n"
                            "HOST: 127.0.0.1:9999 \r\n"
                            "Accept: */*\r\n"
                            "Origin:http://localhost\r\n"
                            "X-Empty:\r\n"
                            "Content-Length: 3\r\n"
                            "\r\n"
                            "abc";

static enum http_request_outcome read_text(const char *text, struct http_request *out)
{
    return http_request_read(bytes_of_text(text), out);
}

static void assert_outcome(const char *text, enum http_request_outcome outcome)
{
    struct http_request request = {0};

    assert_int_equal(read_text(text, &request), outcome);
}

static void reads_all_parts(void **state)
{
    struct http_request request = {0};

    (void)state;
    assert_int_equal(read_text(whole, &request), HTTP_REQUEST_WHOLE);
    assert_true(bytes_equal_text(request.method, "POST"));
    assert_true(bytes_equal_text(request.path, "/log_filter"));
    assert_true(bytes_equal_text(request.query, "directives=info"));
    assert_true(bytes_equal_text(request.host, "127.0.0.1:9999"));
    assert_true(bytes_equal_text(request.origin, "http://localhost"));
    assert_true(bytes_equal_text(request.body, "abc"));
}

static void takes_every_prefix_for_a_part(void **state)
{
    const struct bytes all = bytes_of_text(whole);
    struct http_request request = {0};

    (void)state;
    for (size_t len = 0; len < all.len; len++) {
        assert_int_equal(http_request_read(bytes_first(all, len), &request), HTTP_REQUEST_PART);
        assert_int_equal(request.method.len, 0);
    }
}

static void leaves_what_follows_alone(void **state)
{
    struct http_request request = {0};

    (void)state;
    assert_int_equal(read_text("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /", &request),
                     HTTP_REQUEST_WHOLE);
    assert_int_equal(request.body.len, 0);
    assert_true(bytes_equal_text(request.path, "/"));
    assert_int_equal(request.query.len, 0);
}

static void takes_a_target_with_a_host(void **state)
{
    struct http_request request = {0};

    (void)state;
    assert_int_equal(read_text("GET http://b:1/x?y HTTP/1.1\r\nHost: a\r\n\r\n", &request),
                     HTTP_REQUEST_WHOLE);
    assert_true(bytes_equal_text(request.host, "b:1"));
    assert_true(bytes_equal_text(request.path, "/x"));
    assert_true(bytes_equal_text(request.query, "y"));
    assert_int_equal(read_text("GET http://b HTTP/1.1\r\nHost: a\r\n\r\n", &request),
                     HTTP_REQUEST_WHOLE);
    assert_true(bytes_equal_text(request.path, "/"));
}

static void takes_what_is_unusual_but_right(void **state)
{
    (void)state;
    assert_outcome("GET / HTTP/1.0\r\n\r\n", HTTP_REQUEST_WHOLE);
    assert_outcome("BREW / HTTP/1.1\r\nHost:\r\n\r\n", HTTP_REQUEST_WHOLE);
    assert_outcome("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n", HTTP_REQUEST_WHOLE);
    assert_outcome("GET / HTTP/1.1\r\nHost: a\r\nX:\ta\xc3\xa4\tb\r\n\r\n", HTTP_REQUEST_WHOLE);
}

static void refuses_what_is_no_request(void **state)
{
    static const char *const bad[] = {
        "\r\n",
        "\n",
        "\x16\x03\x01",
        "GET / HTTP/1.1\n",
        "GET / HTTP/1.1\r\nHost: a\n",
        "GET / HTTP/1.1\r\nHost: a\r\r",
        "GET\r\n",
        "GET /\r\n",
        "GET  / HTTP/1.1\r\n",
        "GET / HTTP/1.1 \r\n",
        "GET / http/1.1\r\n",
        "GET / HTTP/1\r\n",
        "GET / HTTP/11.1\r\n",
        "G:T / HTTP/1.1\r\n",
        " / HTTP/1.1\r\n",
        "GET a HTTP/1.1\r\n",
        "GET * HTTP/1.1\r\n",
        "GET http:/// HTTP/1.1\r\n",
        "GET https://a/ HTTP/1.1\r\n",
        "GET /#a HTTP/1.1\r\n",
        "GET /\xc3\xa4 HTTP/1.1\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost\r\n",
        "GET / HTTP/1.1\r\nHost : a\r\n",
        "GET / HTTP/1.1\r\n Host: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n b\r\n",
        "GET / HTTP/1.1\r\nHost: a b\r\n",
        "GET / HTTP/1.1\r\n: a\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nhost: a\r\n",
        "GET / HTTP/1.1\r\nOrigin: a\r\norigin: a\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n",
        "GET / HTTP/1.1\r\nContent-Length:\r\n",
        "GET / HTTP/1.1\r\nContent-Length: +1\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 1,1\r\n",
        "GET / HTTP/1.1\r\nContent-Length: 0x1\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_outcome(bad[i], HTTP_REQUEST_BAD);
    }
}

static void refuses_a_nul(void **state)
{
    static const struct bytes bad = BYTES_LITERAL("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n");
    struct http_request request = {0};

    (void)state;
    assert_int_equal(http_request_read(bad, &request), HTTP_REQUEST_BAD);
}

static void refuses_what_it_does_not_do(void **state)
{
    (void)state;
    assert_outcome("GET / HTTP/2.0\r\n\r\n", HTTP_REQUEST_VERSION);
    assert_outcome("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", HTTP_REQUEST_VERSION);
    assert_outcome("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
                   HTTP_REQUEST_CODING);
    assert_outcome("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
                   HTTP_REQUEST_EXPECTS);
}

// The text with `count` letters instead of its percent sign.
static enum http_request_outcome read_long(const char *text, size_t count)
{
    static uint8_t room[HTTP_REQUEST_MAX * 2];
    const struct bytes all = bytes_of_text(text);
    const size_t mark = bytes_index(all, '%');
    struct wr wr = wr_init(room, sizeof room);
    struct http_request request = {0};

    wr_bytes(&wr, bytes_first(all, mark));
    for (size_t i = 0; i < count; i++) {
        wr_u8(&wr, 'a');
    }
    wr_bytes(&wr, bytes_from(all, mark + 1));
    assert_true(wr_ok(&wr));
    return http_request_read(wr_done(&wr), &request);
}

static void has_limits(void **state)
{
    static const char target[] = "GET /% HTTP/1.1\r\nHost: a\r\n\r\n";
    static const char field[] = "GET / HTTP/1.1\r\nHost: a\r\nX: %\r\n\r\n";
    static const char body[] = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1024\r\n\r\n%";
    const size_t target_max = HTTP_REQUEST_HEAD_MAX - (sizeof target - 2);
    const size_t field_max = HTTP_REQUEST_HEAD_MAX - (sizeof field - 2);

    (void)state;
    assert_int_equal(read_long(target, target_max), HTTP_REQUEST_WHOLE);
    assert_int_equal(read_long(target, target_max + 1), HTTP_REQUEST_HEAD_LONG);
    assert_int_equal(read_long(target, HTTP_REQUEST_HEAD_MAX), HTTP_REQUEST_TARGET_LONG);
    assert_int_equal(read_long(field, field_max), HTTP_REQUEST_WHOLE);
    assert_int_equal(read_long(field, field_max + 1), HTTP_REQUEST_HEAD_LONG);
    assert_int_equal(read_long(body, HTTP_REQUEST_BODY_MAX), HTTP_REQUEST_WHOLE);
    assert_int_equal(read_long(body, HTTP_REQUEST_BODY_MAX - 1), HTTP_REQUEST_PART);
    assert_outcome("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1025\r\n\r\n",
                   HTTP_REQUEST_BODY_LONG);
    assert_outcome("POST / HTTP/1.1\r\nHost: a\r\n"
                   "Content-Length: 99999999999999999999999999\r\n\r\n",
                   HTTP_REQUEST_BODY_LONG);
}

static void can_hold_what_is_not_over_a_limit(void **state)
{
    (void)state;
    // Whatever is a part still has room behind it.
    for (size_t len = HTTP_REQUEST_HEAD_MAX - 64; len < HTTP_REQUEST_MAX + 64; len++) {
        assert_true(read_long("GET /%", len) != HTTP_REQUEST_PART || len + 5 < HTTP_REQUEST_MAX);
        assert_true(read_long("GET / HTTP/1.1\r\nX: %", len) != HTTP_REQUEST_PART ||
                    len + 19 < HTTP_REQUEST_MAX);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_all_parts),
        cmocka_unit_test(takes_every_prefix_for_a_part),
        cmocka_unit_test(leaves_what_follows_alone),
        cmocka_unit_test(takes_a_target_with_a_host),
        cmocka_unit_test(takes_what_is_unusual_but_right),
        cmocka_unit_test(refuses_what_is_no_request),
        cmocka_unit_test(refuses_a_nul),
        cmocka_unit_test(refuses_what_it_does_not_do),
        cmocka_unit_test(has_limits),
        cmocka_unit_test(can_hold_what_is_not_over_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
