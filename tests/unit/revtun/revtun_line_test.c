// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static void writes_what_the_original_writes(void **state)
{
    uint8_t room[128];
    struct wr wr = wr_init(room, sizeof room);

    (void)state;
    revtun_line_greeting_write(&wr, bytes_of_text("127.0.0.1"), 5003, 5001);
    assert_true(bytes_equal_text(wr_done(&wr), "public_listener 127.0.0.1:5003\r\n"
                                               "reverse_listener 127.0.0.1:5001\r\n"));
    wr = wr_init(room, sizeof room);
    revtun_line_new_connection_write(&wr);
    assert_true(bytes_equal_text(wr_done(&wr), "new_connection\r\n"));
    assert_int_equal(wr.len, REVTUN_LINE_NEW_CONNECTION_LEN);
    wr = wr_init(room, sizeof room);
    revtun_line_no_available_listeners_write(&wr);
    assert_true(bytes_equal_text(wr_done(&wr), "no_available_listeners\r\n"));
}

static void the_longest_greeting_has_its_room(void **state)
{
    uint8_t room[REVTUN_LINE_GREETING_MAX];
    struct wr wr = wr_init(room, sizeof room);
    uint8_t host[REVTUN_CONFIG_HOST_MAX];

    (void)state;
    memset(host, 'h', sizeof host);
    revtun_line_greeting_write(&wr, (struct bytes){host, sizeof host}, 65535, 65534);
    assert_true(wr_ok(&wr));
}

static void knows_what_may_be_told_as_a_host(void **state)
{
    uint8_t host[REVTUN_CONFIG_HOST_MAX + 1];

    (void)state;
    assert_true(revtun_line_is_host(bytes_of_text("127.0.0.1")));
    assert_true(revtun_line_is_host(bytes_of_text("relay.example")));
    assert_true(revtun_line_is_host(bytes_of_text("2001:db8::1")));
    assert_false(revtun_line_is_host(bytes_of_text("")));
    assert_false(revtun_line_is_host(bytes_of_text("a b")));
    assert_false(revtun_line_is_host(bytes_of_text("a\r\nnew_connection")));
    assert_false(revtun_line_is_host(bytes_of_text("a\x7f")));
    assert_false(revtun_line_is_host((struct bytes){(const uint8_t *)"a\0b", 3}));
    memset(host, 'h', sizeof host);
    assert_true(revtun_line_is_host((struct bytes){host, sizeof host - 1}));
    assert_false(revtun_line_is_host((struct bytes){host, sizeof host}));
}

static enum revtun_line_outcome watch_all(const char *text)
{
    struct revtun_line_watch watch = {0};

    return revtun_line_watch(&watch, bytes_of_text(text));
}

static void a_line_ends_with_cr_and_lf(void **state)
{
    static const struct {
        const char *text;
        enum revtun_line_outcome outcome;
    } cases[] = {
        {"", REVTUN_LINE_OPEN},
        {"hello", REVTUN_LINE_OPEN},
        {"hello\r", REVTUN_LINE_OPEN},
        {"hello\n", REVTUN_LINE_OPEN},
        {"\n\n\n", REVTUN_LINE_OPEN},
        {"\n\r", REVTUN_LINE_OPEN},
        {"a\rb\nc", REVTUN_LINE_OPEN},
        {"\r\n", REVTUN_LINE_COMPLETE},
        {"hello\r\n", REVTUN_LINE_COMPLETE},
        {"hello\r\nmore", REVTUN_LINE_COMPLETE},
        {"\r\r\n", REVTUN_LINE_COMPLETE},
        {"\n\r\n", REVTUN_LINE_COMPLETE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(watch_all(cases[i].text), cases[i].outcome);
    }
}

static void it_does_not_matter_how_bytes_are_cut(void **state)
{
    static const char text[] = "a\rb\nc\r\r\n";
    const size_t len = sizeof text - 1;

    (void)state;
    for (size_t cut = 0; cut < len; cut++) {
        struct revtun_line_watch watch = {0};
        const struct bytes all = bytes_of_text(text);
        assert_int_equal(revtun_line_watch(&watch, bytes_first(all, cut)), REVTUN_LINE_OPEN);
        assert_int_equal(revtun_line_watch(&watch, (struct bytes){0}), REVTUN_LINE_OPEN);
        assert_int_equal(revtun_line_watch(&watch, bytes_from(all, cut)), REVTUN_LINE_COMPLETE);
    }
}

static void a_line_may_have_so_many_bytes_and_no_more(void **state)
{
    static uint8_t text[REVTUN_LINE_MAX + 2];
    struct revtun_line_watch watch = {0};

    (void)state;
    memset(text, 'x', sizeof text);
    assert_int_equal(revtun_line_watch(&watch, (struct bytes){text, REVTUN_LINE_MAX}),
                     REVTUN_LINE_OPEN);
    assert_int_equal(revtun_line_watch(&watch, (struct bytes){text, 1}), REVTUN_LINE_TOO_LONG);
    watch = (struct revtun_line_watch){0};
    text[REVTUN_LINE_MAX - 1] = '\r'; // the LF ends it, and does not count
    text[REVTUN_LINE_MAX] = '\n';
    assert_int_equal(revtun_line_watch(&watch, (struct bytes){text, sizeof text}),
                     REVTUN_LINE_COMPLETE);
}

static void a_server_reads_what_relays_write(void **state)
{
    static const struct {
        const char *line;
        enum revtun_line_kind kind;
        const char *host;
        uint16_t port;
    } table[] = {
        {"public_listener 127.0.0.1:5003", REVTUN_LINE_PUBLIC_LISTENER, "127.0.0.1", 5003},
        {"reverse_listener relay.example:65535", REVTUN_LINE_REVERSE_LISTENER, "relay.example",
         65535},
        {"reverse_listener 2001:db8::1:12001", REVTUN_LINE_REVERSE_LISTENER, "2001:db8::1", 12001},
        {"public_listener h:1", REVTUN_LINE_PUBLIC_LISTENER, "h", 1},
        {"public_listener", REVTUN_LINE_BAD_ADDRESS, NULL, 0},
        {"public_listener ", REVTUN_LINE_BAD_ADDRESS, NULL, 0},
        {"public_listener :1", REVTUN_LINE_BAD_ADDRESS, NULL, 0},
        {"public_listener h", REVTUN_LINE_BAD_ADDRESS, NULL, 0},
        {"public_listener h:", REVTUN_LINE_BAD_ADDRESS, NULL, 0},
        {"public_listener h:0", REVTUN_LINE_BAD_ADDRESS, NULL, 0},
        {"public_listener h:65536", REVTUN_LINE_BAD_ADDRESS, NULL, 0},
        {"reverse_listener h:1 ", REVTUN_LINE_BAD_ADDRESS, NULL, 0},
        {"reverse_listener a b:1", REVTUN_LINE_BAD_ADDRESS, NULL, 0},
        {"reverse_listener  h:1", REVTUN_LINE_BAD_ADDRESS, NULL, 0},
        {"new_connection", REVTUN_LINE_NEW_CONNECTION, NULL, 0},
        {"new_connection of tomorrow", REVTUN_LINE_NEW_CONNECTION, NULL, 0},
        {"no_available_listeners", REVTUN_LINE_NO_AVAILABLE_LISTENERS, NULL, 0},
        {"", REVTUN_LINE_UNKNOWN, NULL, 0},
        {" new_connection", REVTUN_LINE_UNKNOWN, NULL, 0},
        {"new_connections", REVTUN_LINE_UNKNOWN, NULL, 0},
        {"New_connection", REVTUN_LINE_UNKNOWN, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct revtun_line_address address = {{0}, 0};
        assert_int_equal(revtun_line_read(bytes_of_text(table[i].line), &address), table[i].kind);
        assert_int_equal(address.port, table[i].port);
        assert_true(bytes_equal_text(address.host, table[i].host == NULL ? "" : table[i].host));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_the_original_writes),
        cmocka_unit_test(the_longest_greeting_has_its_room),
        cmocka_unit_test(knows_what_may_be_told_as_a_host),
        cmocka_unit_test(a_server_reads_what_relays_write),
        cmocka_unit_test(a_line_ends_with_cr_and_lf),
        cmocka_unit_test(it_does_not_matter_how_bytes_are_cut),
        cmocka_unit_test(a_line_may_have_so_many_bytes_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
