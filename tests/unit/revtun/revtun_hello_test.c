// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hello.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/hellos.h"
#include "support/exact.h"

static uint8_t scratch[REVTUN_HELLO_MAX];

static enum revtun_hello_outcome read_exact(struct bytes received, struct revtun_hello *out)
{
    const struct bytes copy = exact_copy(received);
    const enum revtun_hello_outcome outcome = revtun_hello_read(copy, scratch, out);

    exact_free(copy);
    return outcome;
}

static bool has_host(const struct revtun_hello *hello, const char *host)
{
    return bytes_equal_text(revtun_hello_host(hello), host);
}

static void reads_what_openssl_sends(void **state)
{
    struct revtun_hello hello = {0};

    (void)state;
    assert_int_equal(read_exact((struct bytes){hellos_tls13, sizeof hellos_tls13}, &hello),
                     REVTUN_HELLO_WHOLE);
    assert_true(has_host(&hello, "shop.example.test"));
    assert_true(revtun_hello_offers(&hello, "h2"));
    assert_true(revtun_hello_offers(&hello, "http/1.1"));
    assert_false(revtun_hello_offers(&hello, "http"));
    assert_false(hello.is_encrypted);
    assert_int_equal(read_exact((struct bytes){hellos_tls12, sizeof hellos_tls12}, &hello),
                     REVTUN_HELLO_WHOLE);
    assert_true(has_host(&hello, "a.test"));
    assert_false(revtun_hello_offers(&hello, "h2"));
    assert_int_equal(hello.protocols.len, 0);
}

static void waits_for_each_byte_of_it(void **state)
{
    struct revtun_hello hello = {.host_len = 99};

    (void)state;
    for (size_t len = 0; len < sizeof hellos_tls13; len++) {
        assert_int_equal(read_exact((struct bytes){hellos_tls13, len}, &hello), REVTUN_HELLO_PART);
        assert_int_equal(hello.host_len, 99);
    }
}

// However the message is cut into records, and whatever comes behind it.
static void puts_records_together(void **state)
{
    const struct bytes message = {hellos_tls13 + HELLOS_HEAD_LEN,
                                  sizeof hellos_tls13 - HELLOS_HEAD_LEN};
    static uint8_t raw[8 * sizeof hellos_tls13];

    (void)state;
    const size_t least = (message.len + REVTUN_HELLO_RECORD_MAX - 1) / REVTUN_HELLO_RECORD_MAX;
    for (size_t record_len = least; record_len <= message.len; record_len++) {
        struct wr wr = wr_init(raw, sizeof raw);
        struct revtun_hello hello = {0};
        hellos_write_records(&wr, message, record_len);
        assert_int_equal(read_exact(bytes_first(wr_done(&wr), wr.len - 1), &hello),
                         REVTUN_HELLO_PART);
        wr_text(&wr, "what follows");
        assert_true(wr_ok(&wr));
        assert_int_equal(read_exact(wr_done(&wr), &hello), REVTUN_HELLO_WHOLE);
        assert_true(has_host(&hello, "shop.example.test"));
        assert_true(revtun_hello_offers(&hello, "http/1.1"));
    }
}

// Makes a ClientHello of the extensions that are in `extensions` and reads it.
static enum revtun_hello_outcome read_with(const struct wr *extensions, struct revtun_hello *out)
{
    static uint8_t raw[20000];
    struct wr wr = wr_init(raw, sizeof raw);

    hellos_write(&wr, wr_done(extensions));
    assert_true(wr_ok(&wr));
    return read_exact(wr_done(&wr), out);
}

static void tells_the_outer_name_of_an_encrypted_hello(void **state)
{
    static const struct bytes outer = BYTES_LITERAL("\0\0\1\0\1\7\0\1x\0\1y");
    uint8_t raw[100];
    struct wr wr = wr_init(raw, sizeof raw);
    struct revtun_hello hello = {0};

    (void)state;
    hellos_write_host(&wr, "public.example");
    hellos_write_extension(&wr, 0xfe0d, outer);
    assert_int_equal(read_with(&wr, &hello), REVTUN_HELLO_WHOLE);
    assert_true(hello.is_encrypted);
    assert_true(has_host(&hello, "public.example"));
}

static void leaves_out_what_is_no_host(void **state)
{
    char longest[REVTUN_HOST_MAX + 2] = {0};
    const char *const names[] = {"a..test", "a.test.", "-a", "a b", "a/b", "[::1]", longest};

    (void)state;
    for (size_t i = 0; i < sizeof longest - 1; i++) {
        longest[i] = i % 2 == 1 ? '.' : 'a';
    }
    longest[sizeof longest - 2] = 'a'; // and too long by one
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        uint8_t raw[300];
        struct wr wr = wr_init(raw, sizeof raw);
        struct revtun_hello hello = {0};
        hellos_write_host(&wr, names[i]);
        assert_int_equal(read_with(&wr, &hello), REVTUN_HELLO_WHOLE);
        assert_int_equal(hello.host_len, 0);
    }
}

static void refuses_what_is_malformed(void **state)
{
    static const struct {
        uint16_t type;
        struct bytes value;
    } rows[] = {
        {0, BYTES_LITERAL("")},
        {0, BYTES_LITERAL("\0\0")},
        {0, BYTES_LITERAL("\0\4\0\0\1a.")},        // behind the list
        {0, BYTES_LITERAL("\0\5\0\0\1a")},         // a list longer than it is
        {0, BYTES_LITERAL("\0\4\0\0\2a")},         // a name longer than the list
        {0, BYTES_LITERAL("\0\3\0\0\0")},          // an empty name
        {0, BYTES_LITERAL("\0\10\0\0\1a\0\0\1b")}, // two names
        {16, BYTES_LITERAL("\0\0")},
        {16, BYTES_LITERAL("\0\1\0")}, // an empty protocol
        {16, BYTES_LITERAL("\0\3\2h2x")},
        {16, BYTES_LITERAL("\0\3\3h2")},
    };
    struct revtun_hello hello = {.host_len = 99};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t raw[100];
        struct wr wr = wr_init(raw, sizeof raw);
        hellos_write_extension(&wr, rows[i].type, rows[i].value);
        assert_int_equal(read_with(&wr, &hello), REVTUN_HELLO_BAD);
        assert_int_equal(hello.host_len, 99);
    }
}

static void refuses_an_extension_that_comes_twice(void **state)
{
    static const struct bytes protocols = BYTES_LITERAL("\0\3\2h2");
    struct revtun_hello hello = {0};
    uint8_t raw[100];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    hellos_write_host(&wr, "a.test");
    assert_int_equal(read_with(&wr, &hello), REVTUN_HELLO_WHOLE);
    hellos_write_host(&wr, "b.test");
    assert_int_equal(read_with(&wr, &hello), REVTUN_HELLO_BAD);
    wr = wr_init(raw, sizeof raw);
    hellos_write_extension(&wr, 16, protocols);
    assert_int_equal(read_with(&wr, &hello), REVTUN_HELLO_WHOLE);
    hellos_write_extension(&wr, 16, protocols);
    assert_int_equal(read_with(&wr, &hello), REVTUN_HELLO_BAD);
    // An extension that is cut off.
    wr = wr_init(raw, sizeof raw);
    wr_u16(&wr, 5);
    wr_u16(&wr, 1);
    assert_int_equal(read_with(&wr, &hello), REVTUN_HELLO_BAD);
}

static void knows_what_is_not_tls(void **state)
{
    static const struct bytes others[] = {
        BYTES_LITERAL("GET / HTTP/1.1\r\n"), BYTES_LITERAL("TRD2"), BYTES_LITERAL("\x16\x02"),
        BYTES_LITERAL("\x80\x2e\1\3\1"), // SSL 2
        BYTES_LITERAL("\x15\3\1\0\2\2\x28"),
    };
    struct revtun_hello hello = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(read_exact(others[i], &hello), REVTUN_HELLO_NONE);
        assert_false(revtun_hello_is_likely(others[i]));
    }
    assert_true(revtun_hello_is_likely((struct bytes){0}));
    assert_true(revtun_hello_is_likely((struct bytes){hellos_tls13, 1}));
    assert_true(revtun_hello_is_likely((struct bytes){hellos_tls13, 2}));
}

static void refuses_records_that_cannot_be(void **state)
{
    static const struct bytes bad[] = {
        BYTES_LITERAL("\x16\3\1\0\0"),       // empty
        BYTES_LITERAL("\x16\3\1\x40\1"),     // too long
        BYTES_LITERAL("\x16\3\1\0\1\2"),     // a ServerHello
        BYTES_LITERAL("\x16\3\1\0\1\1\x17"), // data in its midst
        BYTES_LITERAL("\x16\3\1\0\1\1\x16\4"),
        BYTES_LITERAL("\x16\3\1\0\4\1\0\0\0"),     // nothing in it
        BYTES_LITERAL("\x16\3\1\0\6\1\0\0\2\4\0"), // no TLS
    };
    static const struct bytes huge = BYTES_LITERAL("\x16\3\1\0\4\1\0\x40\0");
    struct revtun_hello hello = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(read_exact(bad[i], &hello), REVTUN_HELLO_BAD);
    }
    assert_int_equal(read_exact(huge, &hello), REVTUN_HELLO_LONG);
}

// A message that goes on: in records of so many bytes it is given up where a limit is met.
static void give_up(size_t record_len, size_t received_max)
{
    static uint8_t raw[REVTUN_HELLO_MAX + 2000];
    static const uint8_t message[4096] = {1, 0, 0x3f, 0xfc};
    struct wr wr = wr_init(raw, sizeof raw);
    struct revtun_hello hello = {0};

    hellos_write_records(&wr, (struct bytes){message, sizeof message}, record_len);
    while (wr_ok(&wr)) {
        hellos_write_records(&wr, bytes_from((struct bytes){message, sizeof message}, 4),
                             record_len);
    }
    assert_in_range(wr.len, received_max + 1, sizeof raw);
    assert_int_equal(revtun_hello_read((struct bytes){raw, received_max}, scratch, &hello),
                     REVTUN_HELLO_PART);
    assert_int_equal(revtun_hello_read((struct bytes){raw, received_max + 1}, scratch, &hello),
                     REVTUN_HELLO_LONG);
}

static void gives_up_after_a_while(void **state)
{
    (void)state;
    give_up(1000, REVTUN_HELLO_MAX - 1);
    give_up(1, REVTUN_HELLO_RECORD_MAX * (HELLOS_HEAD_LEN + 1) - 1);
}

static void reads_those_without_extensions(void **state)
{
    uint8_t raw[200];
    struct wr wr = wr_init(raw, sizeof raw);
    struct revtun_hello hello = {0};

    (void)state;
    hellos_write(&wr, (struct bytes){0});
    assert_int_equal(read_exact(wr_done(&wr), &hello), REVTUN_HELLO_WHOLE); // an empty list
    // Without the list and its length, and the lengths before it less by two.
    raw[4] -= 2;
    raw[8] -= 2;
    assert_int_equal(read_exact(bytes_first(wr_done(&wr), wr.len - 2), &hello), REVTUN_HELLO_WHOLE);
    assert_int_equal(hello.host_len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_openssl_sends),
        cmocka_unit_test(waits_for_each_byte_of_it),
        cmocka_unit_test(puts_records_together),
        cmocka_unit_test(tells_the_outer_name_of_an_encrypted_hello),
        cmocka_unit_test(leaves_out_what_is_no_host),
        cmocka_unit_test(refuses_what_is_malformed),
        cmocka_unit_test(refuses_an_extension_that_comes_twice),
        cmocka_unit_test(knows_what_is_not_tls),
        cmocka_unit_test(refuses_records_that_cannot_be),
        cmocka_unit_test(gives_up_after_a_while),
        cmocka_unit_test(reads_those_without_extensions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
