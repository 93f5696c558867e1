// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_attr.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/dies.h"
#include "support/exact.h"
#include "support/rng.h"

static const struct stun_transaction transaction = {
    {0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae}, // of RFC 5769
};

static const uint8_t counted[32] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                                    17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32};

static void requires_comprehension_of_the_lower_half(void **state)
{
    (void)state;
    for (unsigned type = 0; type <= UINT16_MAX; type++) {
        assert_int_equal(stun_attr_is_required((uint16_t)type), type <= 0x7fff);
    }
}

static void reads_what_it_writes_with_padding_of_zeros(void **state)
{
    (void)state;
    for (size_t len = 0; len <= sizeof counted; len++) {
        uint8_t raw[STUN_ATTR_HEAD_LEN + sizeof counted];
        struct wr wr = wr_init(raw, sizeof raw);
        struct stun_attr attr = {0};

        memset(raw, 0xee, sizeof raw);
        stun_attr_write(&wr, 0x8022, (struct bytes){counted, len});
        assert_int_equal(wr.len, STUN_ATTR_HEAD_LEN + (len + 3) / 4 * 4);
        for (size_t i = STUN_ATTR_HEAD_LEN + len; i < wr.len; i++) {
            assert_int_equal(raw[i], 0);
        }
        struct rd rd = rd_init(wr_done(&wr));
        assert_true(stun_attr_read(&rd, &attr));
        assert_true(rd_is_done(&rd));
        assert_int_equal(attr.type, 0x8022);
        assert_true(bytes_equal(attr.value, (struct bytes){counted, len}));
    }
}

static void ignores_what_the_padding_holds(void **state)
{
    static const uint8_t raw[] = {0x80, 0x22, 0x00, 0x01, 'x', ' ', 0xff, 0x01};
    struct rd rd = rd_init((struct bytes){raw, sizeof raw});
    struct stun_attr attr = {0};

    (void)state;
    assert_true(stun_attr_read(&rd, &attr));
    assert_true(bytes_equal_text(attr.value, "x"));
}

static void refuses_every_truncation(void **state)
{
    (void)state;
    for (size_t len = 0; len <= 9; len++) {
        uint8_t raw[STUN_ATTR_HEAD_LEN + 12];
        struct wr wr = wr_init(raw, sizeof raw);
        stun_attr_write(&wr, 0x0006, (struct bytes){counted, len});

        for (size_t cut = 0; cut < wr.len; cut++) {
            struct bytes copy = exact_copy((struct bytes){raw, cut});
            struct rd rd = rd_init(copy);
            struct stun_attr attr = {.type = 0x7777};
            assert_false(stun_attr_read(&rd, &attr));
            assert_int_equal(attr.type, 0x7777);
            exact_free(copy);
        }
    }
}

static void reads_the_longest_value(void **state)
{
    static uint8_t raw[STUN_ATTR_HEAD_LEN + 65536] = {0x00, 0x13, 0xff, 0xff};
    struct rd rd = rd_init((struct bytes){raw, sizeof raw});
    struct stun_attr attr = {0};

    (void)state;
    assert_true(stun_attr_read(&rd, &attr));
    assert_int_equal(attr.value.len, UINT16_MAX);
    assert_true(rd_is_done(&rd));
    rd = rd_init((struct bytes){raw, sizeof raw - 1}); // the one byte of padding is missing
    assert_false(stun_attr_read(&rd, &attr));
}

// Which of the fixed-length readers take an exact copy of the first `len` bytes of `from`.
struct taken {
    bool u8, u16, u32, addr, xor_addr;
    uint8_t u8_value;
    uint16_t u16_value;
    uint32_t u32_value;
};

static struct taken taken(const uint8_t *from, size_t len)
{
    struct bytes copy = exact_copy((struct bytes){from, len});
    const struct addr none = {.zero = 9};
    struct taken taken = {.u8_value = 77, .u16_value = 7777, .u32_value = 777777};
    struct addr addr = none;
    struct addr xor_addr = none;

    taken.u8 = stun_attr_u8_read(copy, &taken.u8_value);
    taken.u16 = stun_attr_u16_read(copy, &taken.u16_value);
    taken.u32 = stun_attr_u32_read(copy, &taken.u32_value);
    taken.addr = stun_attr_addr_read(copy, &addr);
    taken.xor_addr = stun_attr_xor_addr_read(copy, &transaction, &xor_addr);
    assert_true(taken.u8 || taken.u8_value == 77);
    assert_true(taken.u16 || taken.u16_value == 7777);
    assert_true(taken.u32 || taken.u32_value == 777777);
    assert_int_equal(taken.addr, !addr_equal(&addr, &none));
    assert_int_equal(taken.xor_addr, !addr_equal(&xor_addr, &none));
    exact_free(copy);
    return taken;
}

static void reads_numbers_of_their_exact_length_only(void **state)
{
    (void)state;
    for (size_t len = 0; len <= sizeof counted; len++) {
        struct taken got = taken(counted, len);
        assert_int_equal(got.u8, len == 1 || len == 4);
        assert_int_equal(got.u16, len == 4);
        assert_int_equal(got.u32, len == 4);
    }
    assert_int_equal(taken(counted, 1).u8_value, 1);
    assert_int_equal(taken(counted, 4).u8_value, 1);
    assert_int_equal(taken(counted, 4).u16_value, 0x0102);
    assert_int_equal(taken(counted, 4).u32_value, 0x01020304);
}

static void reads_addresses_of_the_length_of_their_family_only(void **state)
{
    uint8_t value[32] = {0};

    (void)state;
    for (unsigned family = 0; family < 256; family++) {
        value[1] = (uint8_t)family;
        for (size_t len = 0; len <= sizeof value; len++) {
            const bool is_address = (family == 1 && len == 8) || (family == 2 && len == 20);
            struct taken got = taken(value, len);
            assert_int_equal(got.addr, is_address);
            assert_int_equal(got.xor_addr, is_address);
        }
    }
}

static void ignores_the_first_byte_of_an_address(void **state)
{
    uint8_t value[8] = {0xff, 1, 0, 80, 192, 0, 2, 1};
    struct addr addr = {0};
    const struct addr expected = addr_ip4((const uint8_t[]){192, 0, 2, 1}, 80);

    (void)state;
    assert_true(stun_attr_addr_read((struct bytes){value, sizeof value}, &addr));
    assert_true(addr_equal(&addr, &expected));
}

static void writes_short_numbers_with_zeros_behind(void **state)
{
    static const uint8_t expected[] = {
        0x00, 0x19, 0x00, 0x04, 17,   0,    0,    0,    // u8
        0x00, 0x0c, 0x00, 0x04, 0x4a, 0xbc, 0,    0,    // u16
        0x00, 0x0d, 0x00, 0x04, 0x01, 0x02, 0x03, 0x04, // u32
    };
    uint8_t raw[sizeof expected];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    memset(raw, 0xee, sizeof raw);
    stun_attr_u8_write(&wr, STUN_ATTR_REQUESTED_TRANSPORT, STUN_ATTR_TRANSPORT_UDP);
    stun_attr_u16_write(&wr, STUN_ATTR_CHANNEL_NUMBER, 0x4abc);
    stun_attr_u32_write(&wr, STUN_ATTR_LIFETIME, 0x01020304);
    assert_true(wr_ok(&wr));
    assert_int_equal(wr.room, 0);
    assert_memory_equal(raw, expected, sizeof expected);
}

// The attributes of RFC 5769 sections 2.2 and 2.3.
static void hides_the_addresses_of_rfc_5769(void **state)
{
    static const uint8_t ip4_raw[] = {
        0x00, 0x20, 0x00, 0x08, 0x00, 0x01, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43,
    };
    static const uint8_t ip6_raw[] = {
        0x00, 0x20, 0x00, 0x14, 0x00, 0x02, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa,
        0xa5, 0xd3, 0xf1, 0x79, 0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9,
    };
    static const uint8_t ip6[ADDR_IP6_LEN] = {0x20, 0x01, 0x0d, 0xb8, 0x12, 0x34, 0x56, 0x78,
                                              0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77};
    const struct {
        struct addr addr;
        struct bytes raw;
    } rows[] = {
        {addr_ip4((const uint8_t[]){192, 0, 2, 1}, 32853), {ip4_raw, sizeof ip4_raw}},
        {addr_ip6(ip6, 32853), {ip6_raw, sizeof ip6_raw}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t raw[24];
        struct wr wr = wr_init(raw, sizeof raw);
        struct addr addr = {0};

        stun_attr_xor_addr_write(&wr, STUN_ATTR_XOR_MAPPED_ADDRESS, &transaction, &rows[i].addr);
        assert_true(bytes_equal(wr_done(&wr), rows[i].raw));
        assert_true(stun_attr_xor_addr_read(bytes_from(rows[i].raw, STUN_ATTR_HEAD_LEN),
                                            &transaction, &addr));
        assert_true(addr_equal(&addr, &rows[i].addr));
    }
}

static void reads_every_address_that_it_hides(void **state)
{
    struct rng rng = rng_init(rng_seed("stun_attr_test"));

    (void)state;
    for (int round = 0; round < 2000; round++) {
        struct stun_transaction id;
        uint8_t ip[ADDR_IP6_LEN];
        uint8_t raw[24];
        struct wr wr = wr_init(raw, sizeof raw);
        struct rd rd;
        struct stun_attr attr = {0};
        struct addr got = {0};

        rng_fill(&rng, id.id, sizeof id.id);
        rng_fill(&rng, ip, sizeof ip);
        uint16_t port = (uint16_t)rng_next(&rng);
        struct addr addr = rng_chance(&rng, 50) ? addr_ip4(ip, port) : addr_ip6(ip, port);
        stun_attr_xor_addr_write(&wr, STUN_ATTR_XOR_PEER_ADDRESS, &id, &addr);
        rd = rd_init(wr_done(&wr));
        assert_true(stun_attr_read(&rd, &attr));
        assert_true(rd_is_done(&rd));
        assert_int_equal(attr.type, STUN_ATTR_XOR_PEER_ADDRESS);
        assert_true(stun_attr_xor_addr_read(attr.value, &id, &got));
        assert_true(addr_equal(&got, &addr));
    }
}

// MAPPED-ADDRESS and ALTERNATE-SERVER: RFC 8489 section 14.1.
static void writes_addresses_as_they_are(void **state)
{
    static const uint8_t ip4_raw[] = {
        0x80, 0x23, 0x00, 0x08, 0x00, 0x01, 0x80, 0x55, 192, 0, 2, 1,
    };
    static const uint8_t ip6_raw[] = {
        0x00, 0x01, 0x00, 0x14, 0x00, 0x02, 0x80, 0x55, 0x20, 0x01, 0x0d, 0xb8,
        0x12, 0x34, 0x56, 0x78, 0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77,
    };
    const struct {
        uint16_t type;
        struct addr addr;
        struct bytes raw;
    } rows[] = {
        {STUN_ATTR_ALTERNATE_SERVER,
         addr_ip4((const uint8_t[]){192, 0, 2, 1}, 32853),
         {ip4_raw, sizeof ip4_raw}},
        {STUN_ATTR_MAPPED_ADDRESS, addr_ip6(ip6_raw + 8, 32853), {ip6_raw, sizeof ip6_raw}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t raw[24];
        struct wr wr = wr_init(raw, sizeof raw);
        struct addr addr = {0};

        stun_attr_addr_write(&wr, rows[i].type, &rows[i].addr);
        assert_true(bytes_equal(wr_done(&wr), rows[i].raw));
        assert_true(stun_attr_addr_read(bytes_from(rows[i].raw, STUN_ATTR_HEAD_LEN), &addr));
        assert_true(addr_equal(&addr, &rows[i].addr));
    }
}

static void write_nowhere(void *context)
{
    const struct addr none = {0};
    uint8_t raw[24];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)context;
    stun_attr_addr_write(&wr, STUN_ATTR_ALTERNATE_SERVER, &none);
}

static void asserts_that_an_address_has_a_family(void **state)
{
    (void)state;
    assert_true(dies(write_nowhere, NULL));
}

static void fails_cleanly_in_every_room_that_is_too_small(void **state)
{
    const struct addr addr = addr_ip6(counted, 1);

    (void)state;
    for (size_t room = 0; room <= 24; room++) {
        uint8_t *exact = exact_room(room);
        struct wr wr = wr_init(exact, room);
        stun_attr_write(&wr, 0x0006, (struct bytes){counted, 17}); // 4 + 17 + 3
        assert_int_equal(wr_ok(&wr), room >= 24);
        wr = wr_init(exact, room);
        stun_attr_u8_write(&wr, 0x0019, 1);
        assert_int_equal(wr_ok(&wr), room >= 8);
        wr = wr_init(exact, room);
        stun_attr_u16_write(&wr, 0x000c, 1);
        assert_int_equal(wr_ok(&wr), room >= 8);
        wr = wr_init(exact, room);
        stun_attr_u32_write(&wr, 0x000d, 1);
        assert_int_equal(wr_ok(&wr), room >= 8);
        wr = wr_init(exact, room);
        stun_attr_xor_addr_write(&wr, 0x0020, &transaction, &addr);
        assert_int_equal(wr_ok(&wr), room >= 24);
        wr = wr_init(exact, room);
        stun_attr_addr_write(&wr, 0x8023, &addr);
        assert_int_equal(wr_ok(&wr), room >= 24);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requires_comprehension_of_the_lower_half),
        cmocka_unit_test(reads_what_it_writes_with_padding_of_zeros),
        cmocka_unit_test(ignores_what_the_padding_holds),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(reads_the_longest_value),
        cmocka_unit_test(reads_numbers_of_their_exact_length_only),
        cmocka_unit_test(reads_addresses_of_the_length_of_their_family_only),
        cmocka_unit_test(ignores_the_first_byte_of_an_address),
        cmocka_unit_test(writes_short_numbers_with_zeros_behind),
        cmocka_unit_test(hides_the_addresses_of_rfc_5769),
        cmocka_unit_test(reads_every_address_that_it_hides),
        cmocka_unit_test(writes_addresses_as_they_are),
        cmocka_unit_test(asserts_that_an_address_has_a_family),
        cmocka_unit_test(fails_cleanly_in_every_room_that_is_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
