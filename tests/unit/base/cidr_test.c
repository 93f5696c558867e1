// SPDX-License-Identifier: Apache-2.0
#include "base/cidr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "support/rng.h"

static const struct {
    const char *text;
    enum cidr_outcome outcome;
    const char *written;
} texts[] = {
    {"10.0.0.0/8", CIDR_OK, "10.0.0.0/8"},
    {"0.0.0.0/0", CIDR_OK, "0.0.0.0/0"},
    {"192.0.2.1", CIDR_OK, "192.0.2.1/32"},
    {"192.0.2.1/32", CIDR_OK, "192.0.2.1/32"},
    {"192.0.2.128/25", CIDR_OK, "192.0.2.128/25"},
    {"128.0.0.0/1", CIDR_OK, "128.0.0.0/1"},
    {"::/0", CIDR_OK, "::/0"},
    {"::1", CIDR_OK, "::1/128"},
    {"2001:DB8::/32", CIDR_OK, "2001:db8::/32"},
    {"fe80::/10", CIDR_OK, "fe80::/10"},
    {"::ffff:0:0/96", CIDR_OK, "::ffff:0.0.0.0/96"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128", CIDR_OK,
     "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
    {"", CIDR_NO_ADDRESS, NULL},
    {"/", CIDR_NO_ADDRESS, NULL},
    {"/8", CIDR_NO_ADDRESS, NULL},
    {"10/8", CIDR_NO_ADDRESS, NULL},
    {"10.0.0.0 /8", CIDR_NO_ADDRESS, NULL},
    {" 10.0.0.0/8", CIDR_NO_ADDRESS, NULL},
    {"example.org/8", CIDR_NO_ADDRESS, NULL},
    {"[::1]/128", CIDR_NO_ADDRESS, NULL},
    {"10.0.0.0/", CIDR_BAD_LENGTH, NULL},
    {"10.0.0.0/33", CIDR_BAD_LENGTH, NULL},
    {"10.0.0.0/264", CIDR_BAD_LENGTH, NULL}, // 8 in a byte
    {"10.0.0.0/4294967304", CIDR_BAD_LENGTH, NULL},
    {"10.0.0.0/18446744073709551624", CIDR_BAD_LENGTH, NULL},
    {"10.0.0.0/-1", CIDR_BAD_LENGTH, NULL},
    {"10.0.0.0/+8", CIDR_BAD_LENGTH, NULL},
    {"10.0.0.0/ 8", CIDR_BAD_LENGTH, NULL},
    {"10.0.0.0/8 ", CIDR_BAD_LENGTH, NULL},
    {"10.0.0.0/8/8", CIDR_BAD_LENGTH, NULL},
    {"10.0.0.0/255.0.0.0", CIDR_BAD_LENGTH, NULL},
    {"10.0.0.0/010", CIDR_BAD_LENGTH, NULL}, // ten, or octal for eight
    {"0.0.0.0/00", CIDR_BAD_LENGTH, NULL},
    {"::/129", CIDR_BAD_LENGTH, NULL},
    {"::1/256", CIDR_BAD_LENGTH, NULL},
    {"10.0.0.1/8", CIDR_HOST_BITS, NULL},
    {"10.0.0.1/31", CIDR_HOST_BITS, NULL},
    {"128.0.0.0/0", CIDR_HOST_BITS, NULL},
    {"192.0.2.192/25", CIDR_HOST_BITS, NULL},
    {"::1/127", CIDR_HOST_BITS, NULL},
    {"8000::/0", CIDR_HOST_BITS, NULL},
    {"2001:db8::/28", CIDR_HOST_BITS, NULL},
};

static void reads_what_is_a_prefix_and_says_why_not(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct cidr cidr;
        struct cidr before;
        uint8_t to[ADDR_TEXT_MAX];
        struct wr wr = wr_init(to, sizeof to);

        memset(&cidr, 0x5a, sizeof cidr);
        before = cidr;
        enum cidr_outcome outcome = cidr_read(bytes_of_text(texts[i].text), &cidr);
        if (outcome != texts[i].outcome) {
            fail_msg("'%s' gave %d", texts[i].text, (int)outcome);
        }
        if (outcome != CIDR_OK) {
            assert_memory_equal(&cidr, &before, sizeof cidr);
            continue;
        }
        cidr_write(&wr, &cidr);
        assert_true(wr_ok(&wr));
        assert_true(bytes_equal_text(wr_done(&wr), texts[i].written));
        assert_int_equal(cidr.base.port, 0);
    }
}

static void contains_its_first_and_last_address_and_not_their_neighbours(void **state)
{
    static const struct {
        const char *cidr;
        const char *addr;
        bool is_inside;
    } table[] = {
        {"10.0.0.0/8", "9.255.255.255", false},
        {"10.0.0.0/8", "10.0.0.0", true},
        {"10.0.0.0/8", "10.255.255.255", true},
        {"10.0.0.0/8", "11.0.0.0", false},
        {"172.16.0.0/12", "172.15.255.255", false},
        {"172.16.0.0/12", "172.31.255.255", true},
        {"172.16.0.0/12", "172.32.0.0", false},
        {"192.0.2.1", "192.0.2.0", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.2", false},
        {"0.0.0.0/0", "255.255.255.255", true},
        {"0.0.0.0/0", "::", false},
        {"::/0", "0.0.0.0", false},
        {"::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"fe80::/10", "fe7f:ffff::", false},
        {"fe80::/10", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true},
        {"fe80::/10", "fec0::", false},
        {"::1", "::1", true},
        {"::1", "::", false},
        {"10.0.0.0/8", "::ffff:10.0.0.1", false}, // another family: the caller unwraps
        {"::ffff:0:0/96", "::ffff:10.0.0.1", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        struct cidr cidr;
        struct addr addr;

        assert_int_equal(cidr_read(bytes_of_text(table[i].cidr), &cidr), CIDR_OK);
        assert_true(addr_read(bytes_of_text(table[i].addr), &addr));
        addr = addr_with_port(addr, 3478);
        assert_int_equal(cidr_contains(&cidr, &addr), table[i].is_inside);
    }
    struct cidr all;
    assert_int_equal(cidr_read(bytes_of_text("0.0.0.0/0"), &all), CIDR_OK);
    assert_false(cidr_contains(&all, &(struct addr){0}));
}

static unsigned bit_of(const struct addr *addr, size_t bit)
{
    return (unsigned)(addr->ip[bit / 8] >> (7 - bit % 8)) % 2;
}

static bool naive_contains(const struct addr *base, size_t prefix_len, const struct addr *addr)
{
    if (base->family != addr->family) {
        return false;
    }
    for (size_t bit = 0; bit < prefix_len; bit++) {
        if (bit_of(base, bit) != bit_of(addr, bit)) {
            return false;
        }
    }
    return true;
}

static struct addr random_addr(struct rng *rng, size_t *bits)
{
    uint8_t ip[ADDR_IP6_LEN];

    rng_fill(rng, ip, sizeof ip);
    *bits = rng_chance(rng, 50) ? ADDR_IP4_LEN * 8 : ADDR_IP6_LEN * 8;
    return *bits == ADDR_IP4_LEN * 8 ? addr_ip4(ip, 7) : addr_ip6(ip, 7);
}

static void contains_as_a_loop_over_bits_does(void **state)
{
    struct rng rng = rng_init(rng_seed("cidr_test"));
    unsigned inside = 0;

    (void)state;
    for (size_t i = 0; i < 50000; i++) {
        size_t bits = 0;
        size_t other_bits = 0;
        struct addr addr = random_addr(&rng, &bits);
        struct cidr cidr = {.base = addr_with_port(addr, 0)};

        cidr.prefix_len = (uint8_t)rng_below(&rng, bits + 1);
        for (size_t bit = cidr.prefix_len; bit < bits; bit++) {
            cidr.base.ip[bit / 8] &= (uint8_t) ~(0x80U >> bit % 8);
        }
        // Mostly an address that differs in one bit, so that both answers come up.
        if (rng_chance(&rng, 80)) {
            size_t bit = rng_below(&rng, bits);
            addr.ip[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
        } else {
            addr = random_addr(&rng, &other_bits);
        }
        assert_int_equal(cidr_contains(&cidr, &addr),
                         naive_contains(&cidr.base, cidr.prefix_len, &addr));
        inside += cidr_contains(&cidr, &addr);

        uint8_t to[ADDR_TEXT_MAX];
        struct wr wr = wr_init(to, sizeof to);
        struct cidr again;
        cidr_write(&wr, &cidr);
        assert_int_equal(cidr_read(wr_done(&wr), &again), CIDR_OK);
        assert_true(addr_equal(&again.base, &cidr.base));
        assert_int_equal(again.prefix_len, cidr.prefix_len);
    }
    assert_true(inside > 10000);
    assert_true(inside < 40000);
}

static void refuses_each_bit_behind_the_prefix(void **state)
{
    (void)state;
    for (unsigned prefix_len = 0; prefix_len <= 32; prefix_len++) {
        for (unsigned bit = 0; bit < 32; bit++) {
            uint8_t ip[ADDR_IP4_LEN] = {0};
            uint8_t to[ADDR_TEXT_MAX];
            struct wr wr = wr_init(to, sizeof to);
            struct cidr cidr;

            ip[bit / 8] = (uint8_t)(0x80U >> bit % 8);
            struct addr addr = addr_ip4(ip, 0);
            addr_ip_write(&wr, &addr);
            wr_text(&wr, "/");
            wr_decimal(&wr, prefix_len);
            assert_int_equal(cidr_read(wr_done(&wr), &cidr),
                             bit < prefix_len ? CIDR_OK : CIDR_HOST_BITS);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_a_prefix_and_says_why_not),
        cmocka_unit_test(contains_its_first_and_last_address_and_not_their_neighbours),
        cmocka_unit_test(contains_as_a_loop_over_bits_does),
        cmocka_unit_test(refuses_each_bit_behind_the_prefix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
