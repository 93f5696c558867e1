// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_fields.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "support/exact.h"

static struct revtun_fields fields;

// Reads an exact copy, whose keys are then lost.
static bool is_read(struct bytes line)
{
    const struct bytes copy = exact_copy(line);
    const bool is_ok = revtun_fields_read(copy, &fields);

    exact_free(copy);
    return is_ok;
}

static void reads_a_line(void **state)
{
    struct bytes value = {0};

    (void)state;
    assert_true(revtun_fields_read(
        bytes_of_text("bind rid=1 name=web text=a%20b%25%0d%c3%BC at=[::1]:1=2 empty="), &fields));
    assert_true(bytes_equal_text(fields.verb, "bind"));
    assert_int_equal(fields.count, 5);
    assert_true(revtun_fields_find(&fields, "rid", &value));
    assert_true(bytes_equal_text(value, "1"));
    assert_true(revtun_fields_find(&fields, "text", &value));
    assert_true(bytes_equal_text(value, "a b%\r\xc3\xbc"));
    assert_true(revtun_fields_find(&fields, "at", &value));
    assert_true(bytes_equal_text(value, "[::1]:1=2"));
    assert_true(revtun_fields_find(&fields, "empty", &value));
    assert_int_equal(value.len, 0);
    assert_false(revtun_fields_find(&fields, "bind", &value));
    assert_true(revtun_fields_read(bytes_of_text("ping"), &fields));
    assert_int_equal(fields.count, 0);
}

static void refuses_what_is_malformed(void **state)
{
    static const struct bytes bad[] = {
        BYTES_LITERAL(""),
        BYTES_LITERAL(" "),
        BYTES_LITERAL("Ping"),
        BYTES_LITERAL("1ping"),
        BYTES_LITERAL("_ping"),
        BYTES_LITERAL("ping "),
        BYTES_LITERAL(" ping"),
        BYTES_LITERAL("ping  n=1"),
        BYTES_LITERAL("ping n=1 "),
        BYTES_LITERAL("ping n"),
        BYTES_LITERAL("ping =1"),
        BYTES_LITERAL("ping N=1"),
        BYTES_LITERAL("ping n-=1"),
        BYTES_LITERAL("ping n=1 n=2"),
        BYTES_LITERAL("ping n=%"),
        BYTES_LITERAL("ping n=%1"),
        BYTES_LITERAL("ping n=%1 m=2"),
        BYTES_LITERAL("ping n=%1g"),
        BYTES_LITERAL("ping n=\x7f"),
        BYTES_LITERAL("ping n=\xc3\xbc"),
        BYTES_LITERAL("ping n=\0"),
        BYTES_LITERAL("ping n=a\n"),
        BYTES_LITERAL("ping n=\r"),
        BYTES_LITERAL("ping\tn=1"),
        BYTES_LITERAL("ping=1 n=1"),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(is_read(bad[i]));
    }
}

static void gives_a_line_so_many_keys_and_bytes(void **state)
{
    static uint8_t raw[REVTUN_STREAM_LINE_MAX + 1];
    struct wr wr = wr_init(raw, sizeof raw);
    uint8_t key[] = "k__";

    (void)state;
    wr_text(&wr, "v");
    for (size_t i = 0; i <= REVTUN_FIELDS_MAX; i++) {
        assert_true(is_read(wr_done(&wr)));
        key[1] = (uint8_t)('a' + i / 26);
        key[2] = (uint8_t)('a' + i % 26);
        revtun_fields_write_number(&wr, (const char *)key, i);
    }
    assert_false(is_read(wr_done(&wr)));
    memset(raw, 'x', sizeof raw);
    raw[1] = ' ';
    raw[3] = '=';
    assert_true(is_read((struct bytes){raw, REVTUN_STREAM_LINE_MAX}));
    assert_false(is_read((struct bytes){raw, REVTUN_STREAM_LINE_MAX + 1}));
    memset(raw, 'x', sizeof raw);
    assert_true(is_read((struct bytes){raw, REVTUN_FIELDS_KEY_MAX}));
    assert_false(is_read((struct bytes){raw, REVTUN_FIELDS_KEY_MAX + 1}));
}

static void reads_each_byte_that_it_writes(void **state)
{
    uint8_t all[256];
    uint8_t raw[1024];
    struct wr wr = wr_init(raw, sizeof raw);
    struct bytes value = {0};

    (void)state;
    for (size_t i = 0; i < sizeof all; i++) {
        all[i] = (uint8_t)i;
    }
    revtun_fields_write_verb(&wr, "say");
    revtun_fields_write_text(&wr, "all", (struct bytes){all, sizeof all});
    revtun_fields_write_end(&wr);
    assert_true(wr_ok(&wr));
    assert_true(revtun_fields_read(bytes_first(wr_done(&wr), wr.len - 2), &fields));
    assert_true(revtun_fields_find(&fields, "all", &value));
    assert_true(bytes_equal(value, (struct bytes){all, sizeof all}));
}

static void writes_each_kind_of_value(void **state)
{
    static const uint8_t ip[ADDR_IP6_LEN] = {[15] = 1};
    static const uint8_t hex[] = {0, 0xab};
    const struct addr addr = addr_ip6(ip, 12101);
    uint8_t raw[128];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    revtun_fields_write_verb(&wr, "v");
    revtun_fields_write_number(&wr, "n", UINT64_MAX);
    revtun_fields_write_hex(&wr, "h", (struct bytes){hex, sizeof hex});
    revtun_fields_write_addr(&wr, "a", &addr);
    revtun_fields_write_text(&wr, "t", bytes_of_text("a b"));
    revtun_fields_write_end(&wr);
    assert_true(bytes_equal_text(wr_done(&wr),
                                 "v n=18446744073709551615 h=00ab a=[::1]:12101 t=a%20b\r\n"));
}

static void reads_hexadecimal_digits(void **state)
{
    static const char *const bad[] = {"", "0", "00", "00a", "00aB", "00ag", "00ab0", " 00a"};
    uint8_t to[2] = {9, 9};

    (void)state;
    assert_true(revtun_fields_read_hex(bytes_of_text("09af"), to, sizeof to));
    assert_int_equal(to[0], 0x09);
    assert_int_equal(to[1], 0xaf);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(revtun_fields_read_hex(bytes_of_text(bad[i]), to, sizeof to));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_line),
        cmocka_unit_test(refuses_what_is_malformed),
        cmocka_unit_test(gives_a_line_so_many_keys_and_bytes),
        cmocka_unit_test(reads_each_byte_that_it_writes),
        cmocka_unit_test(writes_each_kind_of_value),
        cmocka_unit_test(reads_hexadecimal_digits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
