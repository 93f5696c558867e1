// SPDX-License-Identifier: Apache-2.0
// The oracle for texts is libc's inet_pton and inet_ntop.
#include "base/addr.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/mutate.h"
#include "support/rng.h"

enum { TEXT_MAX = 80 }; // bytes of a made-up text

static struct addr read_text(const char *text)
{
    struct addr addr = {0};

    assert_true(addr_read(bytes_of_text(text), &addr));
    return addr;
}

static void assert_written(const struct addr *addr, const char *expected)
{
    uint8_t to[ADDR_TEXT_MAX];
    struct wr wr = wr_init(to, sizeof to);

    addr_ip_write(&wr, addr);
    assert_true(wr_ok(&wr));
    assert_int_equal(wr.len, strlen(expected));
    assert_memory_equal(to, expected, wr.len);
}

// What is read on the left is written as on the right.
static const struct {
    const char *text;
    const char *written;
} good[] = {
    {"0.0.0.0", "0.0.0.0"},
    {"192.0.2.1", "192.0.2.1"},
    {"255.255.255.255", "255.255.255.255"},
    {"::", "::"},
    {"::1", "::1"},
    {"1::", "1::"},
    {"1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},
    // RFC 4291 section 2.2
    {"ABCD:EF01:2345:6789:ABCD:EF01:2345:6789", "abcd:ef01:2345:6789:abcd:ef01:2345:6789"},
    {"2001:DB8:0:0:8:800:200C:417A", "2001:db8::8:800:200c:417a"},
    {"FF01:0:0:0:0:0:0:101", "ff01::101"},
    {"0:0:0:0:0:FFFF:129.144.52.38", "::ffff:129.144.52.38"},
    // RFC 5952 sections 1, 2 and 4
    {"2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8::1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"},
    {"2001:db8:0:0:1::1", "2001:db8::1:0:0:1"},
    {"2001:db8:0000:0:1::1", "2001:db8::1:0:0:1"},
    {"2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"},
    {"2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"},
    {"2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"},
    {"2001:db8:0:0:0::1", "2001:db8::1"},
    {"2001:db8::0:1", "2001:db8::1"},
    {"2001:db8:0:0:0:0:2:1", "2001:db8::2:1"},
    {"2001:db8::1:1:1:1:1", "2001:db8:0:1:1:1:1:1"},
    {"2001:0:0:1:0:0:0:1", "2001:0:0:1::1"},
    {"::ffff:192.0.2.1", "::ffff:192.0.2.1"},
    {"::ffff:c000:201", "::ffff:192.0.2.1"},
    // a gap that stands for one group, at either end and in the middle
    {"1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"},
    {"::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"},
    {"1:2:3::5:6:7:8", "1:2:3:0:5:6:7:8"},
    {"0:0:3:4:5:6:7:8", "::3:4:5:6:7:8"},
    {"1:2:3:4:5:6:0:0", "1:2:3:4:5:6::"},
    // a dotted tail
    {"1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304"},
    {"64:ff9b::192.0.2.33", "64:ff9b::c000:221"},
    {"1:2:3:4:5::1.2.3.4", "1:2:3:4:5:0:102:304"},
    {"::13.1.68.3", "::d01:4403"}, // glibc writes the tail with dots, but the form is deprecated
};

static const char *const bad[] = {
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.",
    ".1.2.3",
    "1..2.3",
    "1.2.3.256",
    "1.2.3.1000",
    "1.2.3.-4",
    "1.2.3.+4",
    " 1.2.3.4",
    "1.2.3.4 ",
    "1.2.3.4\n",
    "01.2.3.4",
    "1.2.3.00",
    "1.2.3.04",
    "0x1.2.3.4",
    "1.2.3.a",
    "1.2.3.4:80",
    "1.2.3.4/8",
    "localhost",
    "none",
    ":",
    ":::",
    "1:",
    ":1",
    ":1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:",
    "1:2:3:4:5:6:7:8:",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4::5:6:7:8",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "1::2::3",
    "1:::2",
    ":::1",
    "1:::",
    "12345::",
    "00001::",
    "g::",
    "::g",
    "::-1",
    "::+1",
    ":: 1",
    "::1 ",
    "::1%lo",
    "[::1]",
    "::1/128",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "1.2.3.4:1:2:3:4:5:6",
    "::1.2.3",
    "::1.2.3.4.5",
    "::01.2.3.4",
    "::1.2.3.256",
    "1:2:3:4:5:6:7:1.2.3.4",
    "1:2:3:4:5:1.2.3.4",
    "1:2:3:4:5:6::1.2.3.4",
    "::.1.2.3",
    "0x1::",
};

static void reads_and_writes_as_rfc_5952_has_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct addr addr = read_text(good[i].text);
        struct addr again = read_text(good[i].written);

        assert_written(&addr, good[i].written);
        assert_true(addr_equal(&addr, &again));
        assert_int_equal(addr.port, 0);
    }
}

static void refuses_all_else_and_leaves_out_untouched(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct addr addr;
        struct addr before;

        memset(&addr, 0x5a, sizeof addr);
        before = addr;
        if (addr_read(bytes_of_text(bad[i]), &addr)) {
            fail_msg("'%s' was read", bad[i]);
        }
        assert_memory_equal(&addr, &before, sizeof addr);
    }
    // A zero byte is a character like any other.
    assert_false(addr_read((struct bytes){(const uint8_t *)"1.2.3.4\0", 8}, &(struct addr){0}));
    assert_false(addr_read((struct bytes){(const uint8_t *)"::1\0", 4}, &(struct addr){0}));
}

static void reads_a_port_behind_an_address(void **state)
{
    static const char *const read[] = {"192.0.2.1:3478", "0.0.0.0:0", "[2001:db8::1]:65535",
                                       "[::]:8080"};
    static const char *const refused[] = {
        "",
        "192.0.2.1",
        "192.0.2.1:",
        "192.0.2.1:65536",
        "192.0.2.1:1:1",
        ":80",
        "192.0.2.1:-1",
        "192.0.2.1:1 ",
        "2001:db8::1",
        "2001:db8::1:80",
        "[::1]",
        "[::1]:",
        "[::1]80",
        "[::1",
        "[::1]:65536",
        "[]:80",
        "[1.2.3.4]:80",
        "::1]:80",
        "[[::1]]:80",
        "localhost:80",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(read); i++) {
        uint8_t room[ADDR_TEXT_MAX];
        struct wr wr = wr_init(room, sizeof room);
        struct addr addr = {0};
        assert_true(addr_read_with_port(bytes_of_text(read[i]), &addr));
        addr_write(&wr, &addr);
        assert_true(bytes_equal_text(wr_done(&wr), read[i]));
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct addr addr = {0};
        if (addr_read_with_port(bytes_of_text(refused[i]), &addr)) {
            fail_msg("'%s' was read", refused[i]);
        }
        assert_int_equal(addr.family, ADDR_NONE);
    }
}

static void refuses_every_truncation_that_is_no_address(void **state)
{
    static const char text[] = "2001:db8:aaaa:bbbb:cccc:dddd:1.2.3.4";

    (void)state;
    for (size_t len = 0; len < sizeof text - 1; len++) {
        struct addr addr;
        char *block = malloc(len + 1); // exact, so that a sanitizer sees a read behind its end

        assert_non_null(block);
        memcpy(block, text, len);
        assert_false(addr_read((struct bytes){(const uint8_t *)block, len}, &addr));
        free(block);
    }
    (void)read_text(text);
}

static void assert_same_as_libc(const char *text)
{
    uint8_t ip4[ADDR_IP4_LEN];
    uint8_t ip6[ADDR_IP6_LEN];
    bool is_ip4 = inet_pton(AF_INET, text, ip4) == 1;
    bool is_ip6 = inet_pton(AF_INET6, text, ip6) == 1;
    struct addr addr = {0};

    if (addr_read(bytes_of_text(text), &addr) != (is_ip4 || is_ip6)) {
        fail_msg("libc says otherwise of '%s'", text);
    }
    if (is_ip4) {
        struct addr expected = addr_ip4(ip4, 0);
        assert_true(addr_equal(&addr, &expected));
    } else if (is_ip6) {
        struct addr expected = addr_ip6(ip6, 0);
        assert_true(addr_equal(&addr, &expected));
    }
}

// Mutations of what is nearly right, with all that a text of ours cannot hold mapped to letters
// that addresses are made of.
static void reads_as_libc_does(void **state)
{
    static const char letters[] = "0123456789abcdefABF::::....::gx/% ";
    struct rng rng = rng_init(rng_seed("addr_test"));
    unsigned accepted = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_same_as_libc(bad[i]);
    }
    for (size_t i = 0; i < 50000; i++) {
        size_t pick = rng_below(&rng, COUNT_OF(good) + COUNT_OF(bad));
        const char *base = pick < COUNT_OF(good) ? good[pick].text : bad[pick - COUNT_OF(good)];
        const char *other = good[rng_below(&rng, COUNT_OF(good))].text;
        char text[TEXT_MAX + 1];
        size_t len = strlen(base);

        memcpy(text, base, len);
        len = mutate(&rng, (uint8_t *)text, len, TEXT_MAX, (const uint8_t *)other, strlen(other));
        for (size_t k = 0; k < len; k++) {
            if (text[k] == '\0' || memchr(letters, text[k], sizeof letters - 1) == NULL) {
                text[k] = letters[(uint8_t)text[k] % (sizeof letters - 1)];
            }
        }
        text[len] = '\0';
        assert_same_as_libc(text);
        accepted += addr_read(bytes_of_text(text), &(struct addr){0});
    }
    assert_true(accepted > 1000); // else the mutations are too wild to show anything
}

// libc writes ::a.b.c.d for what was once called IPv4-compatible; we write groups. In all else
// the two agree.
static void writes_as_libc_does(void **state)
{
    struct rng rng = rng_init(rng_seed("addr_test"));

    (void)state;
    for (size_t i = 0; i < 50000; i++) {
        static const uint8_t zero[12];
        uint8_t ip[ADDR_IP6_LEN] = {0};
        char expected[INET6_ADDRSTRLEN];
        unsigned zero_percent = (unsigned)rng_below(&rng, 100);

        for (size_t k = 0; k < sizeof ip; k += 2) {
            if (!rng_chance(&rng, zero_percent)) {
                rng_fill(&rng, ip + k, 2);
                ip[k] = rng_chance(&rng, 30) ? 0 : ip[k];
                ip[k + 1] = rng_chance(&rng, 30) ? 0xff : ip[k + 1];
            }
        }
        if (rng_chance(&rng, 5)) {
            memcpy(ip, (uint8_t[12]){[10] = 0xff, [11] = 0xff}, 12);
        }
        struct addr addr = addr_ip6(ip, 0);
        if (memcmp(ip, zero, sizeof zero) == 0 && (ip[12] != 0 || ip[13] != 0)) {
            (void)snprintf(expected, sizeof expected, "::%x:%x", ip[12] * 256 + ip[13],
                           ip[14] * 256 + ip[15]);
        } else {
            assert_non_null(inet_ntop(AF_INET6, ip, expected, sizeof expected));
        }
        assert_written(&addr, expected);
        struct addr again = read_text(expected);
        assert_true(addr_equal(&addr, &again));

        addr = addr_ip4(ip, 0);
        assert_non_null(inet_ntop(AF_INET, ip, expected, sizeof expected));
        assert_written(&addr, expected);
        assert_same_as_libc(expected);
    }
}

static void writes_ports_behind_addresses(void **state)
{
    static const struct {
        const char *ip;
        uint16_t port;
        const char *written;
    } table[] = {
        {"192.0.2.1", 3478, "192.0.2.1:3478"},
        {"192.0.2.1", 0, "192.0.2.1:0"},
        {"2001:db8::1", 65535, "[2001:db8::1]:65535"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 65535,
         "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct addr addr = addr_with_port(read_text(table[i].ip), table[i].port);
        size_t len = strlen(table[i].written);
        uint8_t to[ADDR_TEXT_MAX];

        assert_true(len <= ADDR_TEXT_MAX);
        for (size_t room = 0; room <= sizeof to; room++) {
            struct wr wr = wr_init(to, room);
            addr_write(&wr, &addr);
            assert_int_equal(wr_ok(&wr), room >= len);
        }
        assert_memory_equal(to, table[i].written, len);
    }
    assert_written(&(struct addr){0}, "none");
}

static void compares_by_content(void **state)
{
    struct addr a = addr_with_port(read_text("192.0.2.1"), 1);
    struct addr b = addr_with_port(read_text("192.0.2.1"), 2);
    struct addr c = addr_with_port(read_text("192.0.2.2"), 1);
    struct addr mapped = addr_with_port(read_text("::ffff:192.0.2.1"), 1);
    struct addr zero4 = read_text("0.0.0.0");
    struct addr zero6 = read_text("::");

    (void)state;
    assert_true(addr_equal(&a, &a));
    assert_false(addr_equal(&a, &b));
    assert_false(addr_equal(&a, &c));
    assert_true(addr_same_ip(&a, &b));
    assert_false(addr_same_ip(&a, &c));
    assert_false(addr_same_ip(&a, &mapped));
    assert_false(addr_equal(&zero4, &zero6));
    assert_false(addr_same_ip(&zero4, &zero6));
    assert_int_equal(addr_ip(&a).len, ADDR_IP4_LEN);
    assert_int_equal(addr_ip(&mapped).len, ADDR_IP6_LEN);
    assert_int_equal(addr_ip(&(struct addr){0}).len, 0);
    b = addr_with_port(b, 1);
    assert_true(addr_equal(&a, &b));
}

static void knows_the_unspecified_and_the_loopback(void **state)
{
    static const struct {
        const char *text;
        bool is_unspecified;
        bool is_loopback;
    } table[] = {
        {"0.0.0.0", true, false},    {"0.0.0.1", false, false},  {"126.255.255.255", false, false},
        {"127.0.0.0", false, true},  {"127.0.0.1", false, true}, {"127.255.255.255", false, true},
        {"128.0.0.0", false, false}, {"::", true, false},        {"::1", false, true},
        {"::2", false, false},       {"1::1", false, false},     {"::1:0:0:1", false, false},
        {"7f00::", false, false},
    };
    struct addr none = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct addr addr = addr_with_port(read_text(table[i].text), 9);
        assert_int_equal(addr_is_unspecified(&addr), table[i].is_unspecified);
        assert_int_equal(addr_is_loopback(&addr), table[i].is_loopback);
    }
    assert_false(addr_is_unspecified(&none));
    assert_false(addr_is_loopback(&none));
}

static void takes_ip4_out_of_what_holds_it(void **state)
{
    static const struct {
        const char *text;
        const char *unmapped;
    } table[] = {
        {"::ffff:192.0.2.1", "192.0.2.1"},       {"192.0.2.1", "192.0.2.1"},
        {"::fffe:192.0.2.1", "::fffe:c000:201"}, {"1::ffff:192.0.2.1", "1::ffff:c000:201"},
        {"::192.0.2.1", "::c000:201"},           {"2001:db8::1", "2001:db8::1"},
    };
    const struct addr none = {0};
    const struct addr of_none = addr_unmapped(&none);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        const struct addr addr = addr_with_port(read_text(table[i].text), 9);
        const struct addr expected = addr_with_port(read_text(table[i].unmapped), 9);
        const struct addr unmapped = addr_unmapped(&addr);
        assert_true(addr_equal(&unmapped, &expected));
    }
    assert_true(addr_equal(&of_none, &none));
}

static void knows_the_link_local(void **state)
{
    static const struct {
        const char *text;
        bool is_link_local;
    } table[] = {
        {"169.253.255.255", false},
        {"169.254.0.0", true},
        {"169.254.255.255", true},
        {"169.255.0.0", false},
        {"168.254.0.1", false},
        {"fe7f:ffff::", false},
        {"fe80::", true},
        {"fe80::1", true},
        {"febf:ffff::", true},
        {"fec0::", false},
        {"ff80::", false},
        {"a9fe::", false},
        {"::", false},
    };
    struct addr none = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct addr addr = addr_with_port(read_text(table[i].text), 9);
        assert_int_equal(addr_is_link_local(&addr), table[i].is_link_local);
    }
    assert_false(addr_is_link_local(&none));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes_as_rfc_5952_has_it),
        cmocka_unit_test(refuses_all_else_and_leaves_out_untouched),
        cmocka_unit_test(reads_a_port_behind_an_address),
        cmocka_unit_test(refuses_every_truncation_that_is_no_address),
        cmocka_unit_test(reads_as_libc_does),
        cmocka_unit_test(writes_as_libc_does),
        cmocka_unit_test(writes_ports_behind_addresses),
        cmocka_unit_test(compares_by_content),
        cmocka_unit_test(knows_the_unspecified_and_the_loopback),
        cmocka_unit_test(takes_ip4_out_of_what_holds_it),
        cmocka_unit_test(knows_the_link_local),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
