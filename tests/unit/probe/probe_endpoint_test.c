// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_endpoint.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static void reads_each_form(void **state)
{
    static const struct {
        const char *text;
        const char *wanted;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1:3478"},        {"192.0.2.1:5349", "192.0.2.1:5349"},
        {"2001:db8::1", "[2001:db8::1]:3478"},  {"[2001:db8::1]", "[2001:db8::1]:3478"},
        {"[2001:db8::1]:1", "[2001:db8::1]:1"}, {"192.0.2.1:65535", "192.0.2.1:65535"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct probe_endpoint endpoint;
        char text[PROBE_ENDPOINT_TEXT_MAX];
        assert_true(probe_endpoint_read(bytes_of_text(rows[i].text), &endpoint));
        assert_true(probe_endpoint_find(&endpoint)); // there is nothing to be looked up
        assert_string_equal(probe_endpoint_text(&endpoint, text), rows[i].wanted);
    }
}

static void reads_names(void **state)
{
    static const struct {
        const char *text;
        const char *name;
        uint16_t port;
    } rows[] = {
        {"turn.example.org", "turn.example.org", 3478},
        {"turn.example.org.:5349", "turn.example.org.", 5349},
        {"localhost:1", "localhost", 1},
        {"xn--bcher-kva.example", "xn--bcher-kva.example", 3478},
        {"4.turn_1", "4.turn_1", 3478},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct probe_endpoint endpoint;
        assert_true(probe_endpoint_read(bytes_of_text(rows[i].text), &endpoint));
        assert_int_equal(endpoint.addr.family, ADDR_NONE);
        assert_true(bytes_equal_text(endpoint.name, rows[i].name));
        assert_int_equal(endpoint.port, rows[i].port);
    }
}

static void refuses_names_that_no_host_has(void **state)
{
    char text[PROBE_ENDPOINT_NAME_MAX + 2];
    struct probe_endpoint endpoint;

    (void)state;
    memset(text, 'a', sizeof text);
    text[PROBE_ENDPOINT_NAME_MAX + 1] = '\0';
    assert_false(probe_endpoint_read(bytes_of_text(text), &endpoint));
    text[PROBE_ENDPOINT_NAME_MAX] = '\0';
    assert_true(probe_endpoint_read(bytes_of_text(text), &endpoint));
    endpoint.addr.family = ADDR_IP6;
    char words[PROBE_ENDPOINT_TEXT_MAX];
    assert_int_equal(strlen(probe_endpoint_text(&endpoint, words)),
                     PROBE_ENDPOINT_NAME_MAX + strlen(" ([::]:3478)"));
}

static void refuses_all_else(void **state)
{
    static const char *const texts[] = {
        "",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "192.0.2",
        "[::1",
        "[192.0.2.1:1]",
        "::1]:1",
        "[::1]1",
        "-4",
        "[]:3478",
        "192.0.2.1:1:2",
        "192.0.2.1:+1",
        "a b",
        ".org",
        "turn.example.org:0",
        "turn.example.org:1:1",
        "1234",
        "[turn]",
        "turn/",
        "turn.example.org:",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct probe_endpoint endpoint = {.port = 7};
        assert_false(probe_endpoint_read(bytes_of_text(texts[i]), &endpoint));
        assert_int_equal(endpoint.port, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_form),
        cmocka_unit_test(reads_names),
        cmocka_unit_test(refuses_names_that_no_host_has),
        cmocka_unit_test(refuses_all_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
