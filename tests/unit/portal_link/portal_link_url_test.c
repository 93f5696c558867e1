// SPDX-License-Identifier: Apache-2.0
#include "portal_link/portal_link_url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void reads_urls(void **state)
{
    static const struct {
        const char *text;
        bool is_tls;
        const char *host;
        bool is_ip6;
        uint16_t port;
        const char *path;
    } cases[] = {
        {"wss://api.firezone.dev", true, "api.firezone.dev", false, 443, ""},
        {"https://api.firezone.dev/", true, "api.firezone.dev", false, 443, ""},
        {"ws://portal", false, "portal", false, 443, ""},
        {"http://portal:8081", false, "portal", false, 8081, ""},
        {"HTTPS://Portal.Example:1/Base/x", true, "Portal.Example", false, 1, "/Base/x"},
        {"wss://a.b/base//?q=1#f", true, "a.b", false, 443, "/base"},
        {"wss://a?q=/1", true, "a", false, 443, ""},
        {"wss://a#/f?", true, "a", false, 443, ""},
        {"ws://127.0.0.1:65535", false, "127.0.0.1", false, 65535, ""},
        {"ws://[::1]", false, "::1", true, 443, ""},
        {"http://[2001:db8::1]:8080/x", false, "2001:db8::1", true, 8080, "/x"},
        {"wss://a_b-c.d/%20~!$&'()*+,;=:@", true, "a_b-c.d", false, 443, "/%20~!$&'()*+,;=:@"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct portal_link_url url = {0};
        assert_true(portal_link_url_read(bytes_of_text(cases[i].text), &url));
        assert_int_equal(url.is_tls, cases[i].is_tls);
        assert_true(bytes_equal_text(url.host, cases[i].host));
        assert_int_equal(url.is_ip6, cases[i].is_ip6);
        assert_int_equal(url.port, cases[i].port);
        assert_true(bytes_equal_text(url.path, cases[i].path));
    }
}

static void refuses_all_else(void **state)
{
    static const char *const texts[] = {
        "",
        "wss",
        "wss:",
        "wss:/",
        "wss://",
        "wss:///x",
        "wss://:443",
        "ftp://a",
        "//a",
        "a.b",
        "api.firezone.dev:443",
        "wss://a:",
        "wss://a:0",
        "wss://a:65536",
        "wss://a:x",
        "wss://a:1:2",
        "wss://user@a",
        "wss://user:password@a",
        "wss://a b",
        "wss://a\n",
        "wss://a/b c",
        "wss://a/\"",
        "wss://a/\r\nX: y",
        "wss://\xc3\xbc.example",
        "wss://[::1]",
        "https://[::1]:1",
        "ws://[::1",
        "ws://[]",
        "ws://[127.0.0.1]",
        "ws://[::1]x",
        "ws://::1",
        "ws://[::1]:",
        " wss://a",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct portal_link_url url = {.port = 4711};
        assert_false(portal_link_url_read(bytes_of_text(texts[i]), &url));
        assert_int_equal(url.port, 4711);
    }
}

static void refuses_what_is_too_long(void **state)
{
    char text[1024] = "ws://";
    struct portal_link_url url;

    (void)state;
    memset(text + 5, 'a', WEB_SOCKET_HOST_MAX);
    assert_true(portal_link_url_read(bytes_of_text(text), &url));
    text[5 + WEB_SOCKET_HOST_MAX] = 'a';
    assert_false(portal_link_url_read(bytes_of_text(text), &url));
    strcpy(text, "ws://a/");
    memset(text + 7, 'b', PORTAL_LINK_URL_PATH_MAX - 1);
    assert_true(portal_link_url_read(bytes_of_text(text), &url));
    text[6 + PORTAL_LINK_URL_PATH_MAX] = 'b';
    assert_false(portal_link_url_read(bytes_of_text(text), &url));
}

static struct addr address(const char *text)
{
    struct addr addr = {0};

    assert_true(addr_read(bytes_of_text(text), &addr));
    return addr;
}

static void expect_target(const char *url_text, const struct portal_link_self *self,
                          const char *wanted)
{
    uint8_t text[WEB_SOCKET_PATH_MAX + 1];
    struct wr wr = wr_init(text, sizeof text);
    struct portal_link_url url;

    assert_true(portal_link_url_read(bytes_of_text(url_text), &url));
    portal_link_url_target_write(&wr, &url, self);
    assert_string_equal((char *)text, wanted);
}

static void writes_what_the_relay_says_of_itself(void **state)
{
    const struct addr none = {.family = ADDR_NONE};

    (void)state;
    expect_target(
        "wss://a",
        &(struct portal_link_self){.ip4 = address("192.0.2.1"), .ip6 = none, .port = 3478},
        "/relay/websocket?ipv4=192.0.2.1&port=3478");
    expect_target("wss://a/b/c/",
                  &(struct portal_link_self){.ip4 = none, .ip6 = address("2001:db8::1"), .port = 1},
                  "/b/c/relay/websocket?ipv6=2001%3Adb8%3A%3A1&port=1");
    expect_target("wss://a?x=y",
                  &(struct portal_link_self){.name = BYTES_LITERAL("a b&c=\xc3\xbc/*-._~\n"),
                                             .ip4 = address("192.0.2.1"),
                                             .ip6 = address("::1"),
                                             .port = 65535},
                  "/relay/websocket?name=a+b%26c%3D%C3%BC%2F*-._%7E%0A&ipv4=192.0.2.1&"
                  "ipv6=%3A%3A1&port=65535");
}

static void has_room_for_the_longest(void **state)
{
    char text[8 + PORTAL_LINK_URL_PATH_MAX] = "ws://a/";
    uint8_t name[PORTAL_LINK_URL_NAME_MAX];
    uint8_t target[WEB_SOCKET_PATH_MAX + 1];
    struct wr wr = wr_init(target, sizeof target);
    struct portal_link_url url;

    (void)state;
    memset(text + 7, 'b', PORTAL_LINK_URL_PATH_MAX - 1);
    memset(name, 0xff, sizeof name);
    assert_true(portal_link_url_read(bytes_of_text(text), &url));
    portal_link_url_target_write(
        &wr, &url,
        &(struct portal_link_self){.name = {name, sizeof name},
                                   .ip4 = address("255.255.255.255"),
                                   .ip6 = address("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"),
                                   .port = 65535});
    assert_true(wr_ok(&wr));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_urls),
        cmocka_unit_test(refuses_all_else),
        cmocka_unit_test(refuses_what_is_too_long),
        cmocka_unit_test(writes_what_the_relay_says_of_itself),
        cmocka_unit_test(has_room_for_the_longest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
