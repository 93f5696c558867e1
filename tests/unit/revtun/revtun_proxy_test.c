// SPDX-License-Identifier: Apache-2.0
// Examples and limits of haproxy's proxy-protocol.txt, version 2.
#include "revtun/revtun_proxy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/wire.h"
#include "support/exact.h"

#define SIGNATURE "\r\n\r\n\0\r\nQUIT\n"

static enum revtun_proxy_outcome read_exact(struct bytes received, struct revtun_proxy *out,
                                            size_t *len)
{
    const struct bytes copy = exact_copy(received);
    const enum revtun_proxy_outcome outcome = revtun_proxy_read(copy, out, len);

    if (outcome == REVTUN_PROXY_WHOLE) {
        out->authority = (struct bytes){0}; // it was borrowed
    }
    exact_free(copy);
    return outcome;
}

static bool has_text(const struct addr *addr, const char *text)
{
    uint8_t raw[ADDR_TEXT_MAX];
    struct wr wr = wr_init(raw, sizeof raw);

    addr_write(&wr, addr);
    return bytes_equal_text(wr_done(&wr), text);
}

static const struct row {
    struct bytes header;
    const char *src, *dst; // NULL: not told
    bool is_local;
} rows[] = {
    // Section 2.1.
    {BYTES_LITERAL("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n"),
     "255.255.255.255:65535", "255.255.255.255:65535", false},
    {BYTES_LITERAL("PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535",
     "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535", false},
    {BYTES_LITERAL("PROXY UNKNOWN\r\n"), NULL, NULL, false},
    {BYTES_LITERAL("PROXY UNKNOWN ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff "
                   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n"),
     NULL, NULL, false},
    {BYTES_LITERAL("PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n"), "192.168.0.1:56324",
     "192.168.0.11:443", false},
    // Section 2.2.
    {BYTES_LITERAL(SIGNATURE "\x20\0\0\0"), NULL, NULL, true},
    {BYTES_LITERAL(SIGNATURE "\x20\x11\0\x0c\1\2\3\4\5\6\7\10\0\1\0\2"), NULL, NULL, true},
    {BYTES_LITERAL(SIGNATURE "\x21\x11\0\x0c\xc0\0\2\1\xc6\x33\x64\2\xc3\x50\1\xbb"),
     "192.0.2.1:50000", "198.51.100.2:443", false},
    {BYTES_LITERAL(SIGNATURE "\x21\x21\0\x24\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"
                             "\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2\xc3\x50\1\xbb"),
     "[2001:db8::1]:50000", "[2001:db8::2]:443", false},
    // A TLV of a type that nobody knows, and one without a value.
    {BYTES_LITERAL(SIGNATURE "\x21\x11\0\x14\xc0\0\2\1\xc6\x33\x64\2\xc3\x50\1\xbb"
                             "\xea\0\2xy\4\0\0"),
     "192.0.2.1:50000", "198.51.100.2:443", false},
    {BYTES_LITERAL(SIGNATURE "\x21\x12\0\x0c\1\2\3\4\5\6\7\10\0\1\0\2"), NULL, NULL, false},
    {BYTES_LITERAL(SIGNATURE "\x21\0\0\0"), NULL, NULL, false},
};

static void reads_the_specifications_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct revtun_proxy proxy = {0};
        size_t len = 0;
        assert_int_equal(read_exact(rows[i].header, &proxy, &len), REVTUN_PROXY_WHOLE);
        assert_int_equal(len, rows[i].header.len);
        assert_int_equal(proxy.is_local, rows[i].is_local);
        assert_int_equal(proxy.src.family == ADDR_NONE, rows[i].src == NULL);
        if (rows[i].src != NULL) {
            assert_true(has_text(&proxy.src, rows[i].src));
            assert_true(has_text(&proxy.dst, rows[i].dst));
        }
    }
}

// As haproxy 2.6 sends it, with and without IPv6; each other bit of it is refused.
static void believes_a_checksum(void **state)
{
    static const char *const headers[] = {
        "0d0a0d0a000d0a515549540a2111001e7f0000017f000001b7644a31030004f2"
        "12994b0500002000050000000000",
        "0d0a0d0a000d0a515549540a2121002b00000000000000000000000000000001"
        "00000000000000000000000000000001d29a4a32030004a08513d0",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(headers); i++) {
        uint8_t raw[64];
        const size_t raw_len = strlen(headers[i]) / 2;
        struct revtun_proxy proxy = {0};
        size_t len = 0;
        wire_unhex(headers[i], raw, raw_len);
        const size_t header_len = REVTUN_PROXY_START_LEN + (size_t)raw[15];
        assert_in_range(header_len, 1, raw_len);
        assert_int_equal(read_exact((struct bytes){raw, raw_len}, &proxy, &len),
                         REVTUN_PROXY_WHOLE);
        assert_int_equal(len, header_len);
        for (size_t bit = 8 * REVTUN_PROXY_START_LEN; bit < 8 * header_len; bit++) {
            raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
            // Where the checksum's own type or length changed it may be another TLV.
            const enum revtun_proxy_outcome outcome =
                read_exact((struct bytes){raw, raw_len}, &proxy, &len);
            const size_t head_at = header_len - (i == 0 ? 18 : 7);
            const bool is_of_head = bit / 8 >= head_at && bit / 8 < head_at + 3;
            assert_true(outcome == REVTUN_PROXY_BAD || is_of_head);
            raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void waits_for_each_byte_and_leaves_the_rest(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct revtun_proxy proxy = {.version = REVTUN_PROXY_NO};
        size_t len = 99;
        uint8_t raw[256];
        struct wr wr = wr_init(raw, sizeof raw);
        for (size_t part = 0; part < rows[i].header.len; part++) {
            assert_int_equal(read_exact(bytes_first(rows[i].header, part), &proxy, &len),
                             REVTUN_PROXY_PART);
        }
        assert_int_equal(len, 99);
        assert_int_equal(proxy.version, REVTUN_PROXY_NO);
        wr_bytes(&wr, rows[i].header);
        wr_text(&wr, "PROXY, said the client\r\n");
        assert_int_equal(read_exact(wr_done(&wr), &proxy, &len), REVTUN_PROXY_WHOLE);
        assert_int_equal(len, rows[i].header.len);
    }
}

static void refuses_what_is_malformed(void **state)
{
    static const struct bytes bad[] = {
        BYTES_LITERAL("PROXY\r\n"),
        BYTES_LITERAL("PROXY\n"),
        BYTES_LITERAL("PROXYTCP4 1.2.3.4 1.2.3.4 1 2\r\n"),
        BYTES_LITERAL("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n"),
        BYTES_LITERAL("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n"),
        BYTES_LITERAL("PROXY TCP4 1.2.3.4  1.2.3.4 1 2\r\n"),
        BYTES_LITERAL("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n"),
        BYTES_LITERAL("PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n"),
        BYTES_LITERAL("PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n"),
        BYTES_LITERAL("PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n"),
        BYTES_LITERAL("PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n"),
        BYTES_LITERAL("PROXY TCP4 ::1 ::1 1 2\r\n"),
        BYTES_LITERAL("PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n"),
        BYTES_LITERAL("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"),
        BYTES_LITERAL("PROXY UNKNOWNS\r\n"),
        BYTES_LITERAL(SIGNATURE "\x11\0\0\0"),      // version 1 in the form of 2
        BYTES_LITERAL(SIGNATURE "\x22\0\0\0"),      // a command that there is not
        BYTES_LITERAL(SIGNATURE "\x21\x41\0\0"),    // a family that there is not
        BYTES_LITERAL(SIGNATURE "\x21\x13\0\0"),    // a transport that there is not
        BYTES_LITERAL(SIGNATURE "\x21\x11\0\3abc"), // no room for addresses
        BYTES_LITERAL(SIGNATURE "\x21\x11\0\x0e\1\2\3\4\5\6\7\10\0\1\0\2\3\0"), // half a TLV
        BYTES_LITERAL(SIGNATURE "\x21\x11\0\x0f\1\2\3\4\5\6\7\10\0\1\0\2\3\0\1"),
        BYTES_LITERAL(SIGNATURE "\x21\x11\xff\xff"), // longer than anybody waits for
    };
    static const struct bytes others[] = {
        BYTES_LITERAL("GET / HTTP/1.1\r\n"),
        BYTES_LITERAL("POST"),
        BYTES_LITERAL("proxy TCP4"),
        BYTES_LITERAL("\r\n\r\nGET"),
    };
    struct revtun_proxy proxy = {0};
    size_t len = 99;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(read_exact(bad[i], &proxy, &len), REVTUN_PROXY_BAD);
    }
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_int_equal(read_exact(others[i], &proxy, &len), REVTUN_PROXY_NONE);
    }
    assert_int_equal(len, 99);
}

static void gives_a_line_107_bytes(void **state)
{
    uint8_t raw[120];
    struct revtun_proxy proxy = {0};
    size_t len = 0;

    (void)state;
    for (size_t blanks = 88; blanks <= 96; blanks++) {
        struct wr wr = wr_init(raw, sizeof raw);
        wr_text(&wr, "PROXY UNKNOWN ");
        while (wr.len < 14 + blanks) {
            wr_u8(&wr, 'x');
        }
        wr_text(&wr, "\r\n");
        assert_int_equal(read_exact(wr_done(&wr), &proxy, &len),
                         wr.len <= 107 ? REVTUN_PROXY_WHOLE : REVTUN_PROXY_BAD);
    }
}

static void writes_both_versions(void **state)
{
    static const uint8_t src[] = {192, 0, 2, 1};
    static const uint8_t dst[] = {198, 51, 100, 2};
    struct revtun_proxy proxy = {.src = addr_ip4(src, 50000), .dst = addr_ip4(dst, 443)};
    static const struct bytes v2 =
        BYTES_LITERAL(SIGNATURE "\x21\x11\0\x15\xc0\0\2\1\xc6\x33\x64\2\xc3\x50\1\xbb"
                                "\2\0\6a.test");
    uint8_t raw[REVTUN_PROXY_WRITE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);
    struct revtun_proxy again = {0};
    size_t len = 0;

    (void)state;
    revtun_proxy_write(&wr, &proxy);
    assert_int_equal(wr.len, 0); // no version
    proxy.version = REVTUN_PROXY_V1;
    revtun_proxy_write(&wr, &proxy);
    assert_true(bytes_equal_text(wr_done(&wr), "PROXY TCP4 192.0.2.1 198.51.100.2 50000 443\r\n"));
    proxy.version = REVTUN_PROXY_V2;
    proxy.authority = bytes_of_text("a.test");
    wr = wr_init(raw, sizeof raw);
    revtun_proxy_write(&wr, &proxy);
    assert_true(bytes_equal(wr_done(&wr), v2));
    assert_int_equal(revtun_proxy_read(v2, &again, &len), REVTUN_PROXY_WHOLE);
    assert_true(bytes_equal_text(again.authority, "a.test"));
    for (size_t room = 0; room < v2.len; room++) {
        uint8_t *exact = exact_room(room);
        wr = wr_init(exact, room);
        revtun_proxy_write(&wr, &proxy);
        assert_false(wr_ok(&wr));
        exact_free((struct bytes){exact, room});
    }
}

static void writes_what_cannot_be_told_as_unknown(void **state)
{
    static const uint8_t ip4[] = {192, 0, 2, 1};
    static const uint8_t ip6[ADDR_IP6_LEN] = {0x20, 1, 0x0d, 0xb8, [15] = 1};
    struct revtun_proxy proxy = {
        .version = REVTUN_PROXY_V1, .src = addr_ip4(ip4, 1), .dst = addr_ip6(ip6, 2)};
    uint8_t raw[REVTUN_PROXY_WRITE_MAX];
    struct wr wr = wr_init(raw, sizeof raw);
    static const struct bytes local = BYTES_LITERAL(SIGNATURE "\x20\0\0\0");

    (void)state;
    revtun_proxy_write(&wr, &proxy);
    assert_true(bytes_equal_text(wr_done(&wr), "PROXY UNKNOWN\r\n"));
    proxy.version = REVTUN_PROXY_V2;
    wr = wr_init(raw, sizeof raw);
    revtun_proxy_write(&wr, &proxy);
    assert_true(bytes_equal(wr_done(&wr), local));
    proxy.dst = proxy.src;
    proxy.is_local = true;
    wr = wr_init(raw, sizeof raw);
    revtun_proxy_write(&wr, &proxy);
    assert_true(bytes_equal(wr_done(&wr), local));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_specifications_forms),
        cmocka_unit_test(believes_a_checksum),
        cmocka_unit_test(waits_for_each_byte_and_leaves_the_rest),
        cmocka_unit_test(refuses_what_is_malformed),
        cmocka_unit_test(gives_a_line_107_bytes),
        cmocka_unit_test(writes_both_versions),
        cmocka_unit_test(writes_what_cannot_be_told_as_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
