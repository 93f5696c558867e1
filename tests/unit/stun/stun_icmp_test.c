// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_icmp.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_attr.h"
#include "support/dies.h"
#include "support/exact.h"

enum {
    VALUE_LEN = 8, // bytes
    WHOLE_LEN = STUN_ATTR_HEAD_LEN + VALUE_LEN,
};

// Reads a value from an exact copy and asserts that a refusal leaves the output alone.
static bool is_read(struct bytes value, struct stun_icmp *icmp)
{
    struct bytes copy = exact_copy(value);
    struct stun_icmp got = {.type = 77, .code = 7777, .data = 777777};
    bool is_ok = stun_icmp_read(copy, &got);

    if (is_ok) {
        *icmp = got;
    } else {
        assert_int_equal(got.type, 77);
        assert_int_equal(got.code, 7777);
        assert_int_equal(got.data, 777777);
    }
    exact_free(copy);
    return is_ok;
}

// Figure 11 of RFC 8656: 16 bits reserved, 7 of type, 9 of code, 32 of data.
static void writes_what_the_rfc_draws(void **state)
{
    static const struct {
        struct stun_icmp icmp;
        uint8_t raw[WHOLE_LEN];
    } rows[] = {
        // ICMP: destination unreachable, fragmentation needed, with the MTU.
        {{3, 4, 1400}, {0x80, 0x04, 0, 8, 0, 0, 0x06, 0x04, 0, 0, 0x05, 0x78}},
        // ICMP: destination unreachable, port unreachable.
        {{3, 3, 0}, {0x80, 0x04, 0, 8, 0, 0, 0x06, 0x03, 0, 0, 0, 0}},
        // ICMP: time exceeded in transit.
        {{11, 0, 0}, {0x80, 0x04, 0, 8, 0, 0, 0x16, 0x00, 0, 0, 0, 0}},
        // ICMPv6: packet too big, with the MTU.
        {{2, 0, 1280}, {0x80, 0x04, 0, 8, 0, 0, 0x04, 0x00, 0, 0, 0x05, 0x00}},
        // The ends of each field.
        {{0, 255, 0}, {0x80, 0x04, 0, 8, 0, 0, 0x00, 0xff, 0, 0, 0, 0}},
        {{0, 511, 0}, {0x80, 0x04, 0, 8, 0, 0, 0x01, 0xff, 0, 0, 0, 0}},
        {{127, 0, 0}, {0x80, 0x04, 0, 8, 0, 0, 0xfe, 0x00, 0, 0, 0, 0}},
        {{0, 0, UINT32_MAX}, {0x80, 0x04, 0, 8, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t raw[WHOLE_LEN];
        struct wr wr = wr_init(raw, sizeof raw);
        struct stun_icmp got = {0};

        stun_icmp_write(&wr, &rows[i].icmp);
        assert_true(wr_ok(&wr));
        assert_int_equal(wr.room, 0);
        assert_memory_equal(raw, rows[i].raw, sizeof raw);
        assert_true(is_read(bytes_from(wr_done(&wr), STUN_ATTR_HEAD_LEN), &got));
        assert_int_equal(got.type, rows[i].icmp.type);
        assert_int_equal(got.code, rows[i].icmp.code);
        assert_int_equal(got.data, rows[i].icmp.data);
    }
}

static void reads_every_type_and_code(void **state)
{
    (void)state;
    for (unsigned both = 0; both <= UINT16_MAX; both++) {
        const uint8_t value[VALUE_LEN] = {
            0xff, 0xff, (uint8_t)(both >> 8), (uint8_t)both, 0x01, 0x02, 0x03, 0x04};
        struct stun_icmp icmp = {0};

        assert_true(stun_icmp_read((struct bytes){value, sizeof value}, &icmp));
        assert_int_equal(icmp.type, both >> 9); // and the reserved bits are ignored
        assert_int_equal(icmp.code, both & 0x1ff);
        assert_int_equal(icmp.data, 0x01020304);
    }
}

static void refuses_every_other_length(void **state)
{
    static const uint8_t zeros[64];
    struct stun_icmp icmp = {0};

    (void)state;
    for (size_t len = 0; len <= sizeof zeros; len++) {
        assert_int_equal(is_read((struct bytes){zeros, len}, &icmp), len == VALUE_LEN);
    }
}

static void fails_cleanly_in_every_room_that_is_too_small(void **state)
{
    const struct stun_icmp icmp = {.type = 3, .code = 1};

    (void)state;
    for (size_t room = 0; room <= WHOLE_LEN; room++) {
        uint8_t *exact = exact_room(room);
        struct wr wr = wr_init(exact, room);
        stun_icmp_write(&wr, &icmp);
        assert_int_equal(wr_ok(&wr), room == WHOLE_LEN);
        free(exact);
    }
}

static void write_it(void *context)
{
    uint8_t raw[WHOLE_LEN];
    struct wr wr = wr_init(raw, sizeof raw);

    stun_icmp_write(&wr, context);
}

static void asserts_that_its_fields_fit(void **state)
{
    struct stun_icmp wide_type = {.type = 128};
    struct stun_icmp wide_code = {.code = 512};
    struct stun_icmp widest = {.type = 127, .code = 511};

    (void)state;
    assert_true(dies(write_it, &wide_type));
    assert_true(dies(write_it, &wide_code));
    assert_false(dies(write_it, &widest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_what_the_rfc_draws),
        cmocka_unit_test(reads_every_type_and_code),
        cmocka_unit_test(refuses_every_other_length),
        cmocka_unit_test(fails_cleanly_in_every_room_that_is_too_small),
        cmocka_unit_test(asserts_that_its_fields_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
