// SPDX-License-Identifier: Apache-2.0
#include "http/http_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static void takes_urls_apart(void **state)
{
    static const struct {
        const char *text;
        enum http_url_scheme scheme;
        const char *authority;
        const char *path;
        const char *tail;
    } cases[] = {
        {"http://a", HTTP_URL_HTTP, "a", "", ""},
        {"HTTPS://a:1/", HTTP_URL_HTTPS, "a:1", "/", ""},
        {"ws://[::1]:1/b//c/", HTTP_URL_WS, "[::1]:1", "/b//c/", ""},
        {"wSs://a?q=/1", HTTP_URL_WSS, "a", "", "?q=/1"},
        {"http://a#/f?", HTTP_URL_HTTP, "a", "", "#/f?"},
        {"http://a/b?c?d#e", HTTP_URL_HTTP, "a", "/b", "?c?d#e"},
        {"http://a/b#c?d", HTTP_URL_HTTP, "a", "/b", "#c?d"},
        {"http://a/%20-._~!$&'()*+,;=:@", HTTP_URL_HTTP, "a", "/%20-._~!$&'()*+,;=:@", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_url url = {0};
        assert_true(http_url_read(bytes_of_text(cases[i].text), &url));
        assert_int_equal(url.scheme, cases[i].scheme);
        assert_true(bytes_equal_text(url.authority_text, cases[i].authority));
        assert_true(bytes_equal_text(url.path, cases[i].path));
        assert_true(bytes_equal_text(url.tail, cases[i].tail));
    }
}

static void refuses_all_else(void **state)
{
    static const char *const texts[] = {
        "",
        "http",
        "http:",
        "http:/",
        "http://",
        "http:///x",
        "http://:1",
        "ftp://a",
        "//a",
        "a:1",
        "http:a",
        "https//a",
        "httpss://",
        "http://u@a",
        "http://u:p@a",
        "http://a b",
        "http://a:",
        "http://http://a",
        " http://a",
        "http://a/ b",
        "http://a/\"",
        "http://a/\xff",
        "http://a/\r\nX: y",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct http_url url = {.authority.port = 4711};
        assert_false(http_url_read(bytes_of_text(texts[i]), &url));
        assert_int_equal(url.authority.port, 4711);
    }
}

static void knows_which_are_for_tls(void **state)
{
    static const bool is_tls[] = {
        [HTTP_URL_HTTP] = false,
        [HTTP_URL_HTTPS] = true,
        [HTTP_URL_WS] = false,
        [HTTP_URL_WSS] = true,
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(is_tls); i++) {
        const struct http_url url = {.scheme = (enum http_url_scheme)i};
        assert_int_equal(http_url_is_tls(&url), is_tls[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_urls_apart),
        cmocka_unit_test(refuses_all_else),
        cmocka_unit_test(knows_which_are_for_tls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
