// SPDX-License-Identifier: Apache-2.0
#include "http/http_host.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void knows_what_is_local(void **state)
{
    static const char *const local[] = {"localhost",   "LocalHost:8088", "127.0.0.1",
                                        "127.9.9.9:1", "[::1]",          "[::1]:8088"};
    static const char *const other[] = {
        "",
        "evil.example",
        "localhost.evil.example",
        "evil.example:127",
        "[::1",
        "127.0.0.1.evil.test",
        "192.0.2.1:8088",
        "[2001:db8::1]",
        "[::1]x",
        "localhost:99999",
        "localhost:",
        "localhost:1:2",
        "::1",
        "[localhost]x:1",
        "127.1",
        "0.0.0.0:8088",
        "[]:8088",
        "127.0.0.1@evil.test",
        " localhost",
        "localhost.",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(local); i++) {
        assert_true(http_host_is_local(bytes_of_text(local[i])));
    }
    for (size_t i = 0; i < COUNT_OF(other); i++) {
        assert_false(http_host_is_local(bytes_of_text(other[i])));
    }
}

static bool is_origin(const char *host, const char *origin)
{
    return http_host_is_origin(bytes_of_text(host), bytes_of_text(origin));
}

static void knows_its_own_origin(void **state)
{
    (void)state;
    assert_true(is_origin("localhost:8088", "http://localhost:8088"));
    assert_false(is_origin("localhost:8088", "http://localhost:8089"));
    assert_false(is_origin("localhost:8088", "http://localhost"));
    assert_false(is_origin("localhost:8088", "https://localhost:8088"));
    assert_false(is_origin("localhost:8088", "http://evil.example"));
    assert_false(is_origin("localhost:8088", "null"));
    assert_false(is_origin("localhost:8088", ""));
    assert_false(is_origin("localhost:8088", "http://localhost:8088/"));
    assert_true(is_origin("192.0.2.1:9999", "http://192.0.2.1:9999"));
    assert_true(is_origin("[2001:db8::1]:9999", "http://[2001:db8::1]:9999"));
    // Names that a stranger has pointed here.
    assert_false(is_origin("evil.example:9999", "http://evil.example:9999"));
    assert_false(is_origin("localhost.evil.example", "http://localhost.evil.example"));
    assert_false(is_origin("", "http://"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_is_local),
        cmocka_unit_test(knows_its_own_origin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
