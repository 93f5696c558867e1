// SPDX-License-Identifier: Apache-2.0
#include "http/http_authority.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void reads_hosts_and_ports(void **state)
{
    static const struct {
        const char *text;
        const char *host;
        bool is_ip6;
        uint16_t port;
    } cases[] = {
        {"localhost", "localhost", false, 0},
        {"a_b-c.D:1", "a_b-c.D", false, 1},
        {"192.0.2.1:65535", "192.0.2.1", false, 65535},
        {"[::1]", "::1", true, 0},
        {"[2001:db8::1]:8080", "2001:db8::1", true, 8080},
        {"a:0080", "a", false, 80},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct http_authority authority = {0};
        assert_true(http_authority_read(bytes_of_text(cases[i].text), &authority));
        assert_true(bytes_equal_text(authority.host, cases[i].host));
        assert_int_equal(authority.is_ip6, cases[i].is_ip6);
        assert_int_equal(authority.port, cases[i].port);
    }
}

static void refuses_all_else(void **state)
{
    static const char *const texts[] = {
        "",       ":1",     "a:",          "a:0",       "a:65536", "a:x",   "a:-1",
        "a:1:2",  "::1",    "[::1",        "[]",        "[]:1",    "[a]",   "[127.0.0.1]",
        "[::1]x", "[::1]:", "[fe80::1%e]", "user@a",    "a b",     "a/",    "\xc3\xbc",
        "[",      "]",      "[::1]]:1",    "[[::1]]:1", " a",      "a\r\n",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct http_authority authority = {.port = 4711};
        assert_false(http_authority_read(bytes_of_text(texts[i]), &authority));
        assert_int_equal(authority.port, 4711);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_hosts_and_ports),
        cmocka_unit_test(refuses_all_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
