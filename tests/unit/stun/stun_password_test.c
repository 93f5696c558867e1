// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_password.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_attr.h"
#include "support/exact.h"

static const uint8_t offer[] = {0x00, 0x02, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00};

enum { UNTOUCHED = 77 };

// What is read from an exact copy of an entry: an algorithm, or UNTOUCHED for a refusal.
static int algorithm_of(struct bytes value)
{
    struct bytes copy = exact_copy(value);
    enum stun_password_algorithm algorithm = (enum stun_password_algorithm)UNTOUCHED;
    bool is_read = stun_password_read(copy, &algorithm);

    assert_int_equal(is_read, algorithm != (enum stun_password_algorithm)UNTOUCHED);
    exact_free(copy);
    return (int)algorithm;
}

static bool is_offer(struct bytes value)
{
    struct bytes copy = exact_copy(value);
    bool is_equal = stun_password_is_offer(copy);

    exact_free(copy);
    return is_equal;
}

static void reads_what_it_writes(void **state)
{
    static const struct {
        enum stun_password_algorithm algorithm;
        uint8_t raw[8];
    } rows[] = {
        {STUN_PASSWORD_MD5, {0x00, 0x1d, 0x00, 0x04, 0x00, 0x01, 0x00, 0x00}},
        {STUN_PASSWORD_SHA256, {0x00, 0x1d, 0x00, 0x04, 0x00, 0x02, 0x00, 0x00}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t raw[8];
        struct wr wr = wr_init(raw, sizeof raw);

        stun_password_write(&wr, rows[i].algorithm);
        assert_true(wr_ok(&wr));
        assert_int_equal(wr.room, 0);
        assert_memory_equal(raw, rows[i].raw, sizeof raw);
        assert_int_equal(algorithm_of(bytes_from(wr_done(&wr), STUN_ATTR_HEAD_LEN)),
                         rows[i].algorithm);
    }
}

static void reads_no_third_algorithm(void **state)
{
    (void)state;
    for (unsigned number = 0; number <= UINT16_MAX; number++) {
        const uint8_t value[] = {(uint8_t)(number >> 8), (uint8_t)number, 0, 0};
        const bool is_known = number == 1 || number == 2;

        assert_int_equal(algorithm_of((struct bytes){value, sizeof value}),
                         is_known ? (int)number : UNTOUCHED);
    }
}

// Parameters of every length, odd ones too, with their padding, without it, and cut short: none of
// them belongs to an algorithm that there is.
static void refuses_parameters_of_every_length(void **state)
{
    uint8_t value[40] = {0, STUN_PASSWORD_SHA256};

    (void)state;
    for (unsigned parameters_len = 0; parameters_len <= 36; parameters_len++) {
        value[3] = (uint8_t)parameters_len;
        for (size_t len = 0; len <= sizeof value; len++) {
            const bool is_right = parameters_len == 0 && len == 4;
            assert_int_equal(algorithm_of((struct bytes){value, len}),
                             is_right ? STUN_PASSWORD_SHA256 : UNTOUCHED);
        }
    }
    for (unsigned parameters_len = 1; parameters_len <= UINT16_MAX; parameters_len++) { // it lies
        value[2] = (uint8_t)(parameters_len >> 8);
        value[3] = (uint8_t)parameters_len;
        assert_int_equal(algorithm_of((struct bytes){value, 4}), UNTOUCHED);
    }
}

static void refuses_two_entries_for_one(void **state)
{
    (void)state;
    assert_int_equal(algorithm_of((struct bytes){offer, sizeof offer}), UNTOUCHED);
    assert_int_equal(algorithm_of(bytes_first((struct bytes){offer, sizeof offer}, 4)),
                     STUN_PASSWORD_SHA256);
}

static void offers_sha256_before_md5(void **state)
{
    static const uint8_t head[] = {0x80, 0x02, 0x00, 0x08};
    uint8_t raw[sizeof head + sizeof offer];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)state;
    stun_password_offer_write(&wr);
    assert_true(wr_ok(&wr));
    assert_int_equal(wr.room, 0);
    assert_memory_equal(raw, head, sizeof head);
    assert_memory_equal(raw + sizeof head, offer, sizeof offer);
    assert_true(is_offer(bytes_from(wr_done(&wr), STUN_ATTR_HEAD_LEN)));
}

static void knows_its_offer_from_every_other_list(void **state)
{
    static const struct bytes others[] = {
        BYTES_LITERAL(""),
        BYTES_LITERAL("\x00\x01\x00\x00"),                                 // MD5 alone: a bid down
        BYTES_LITERAL("\x00\x02\x00\x00"),                                 // SHA-256 alone
        BYTES_LITERAL("\x00\x01\x00\x00\x00\x02\x00\x00"),                 // the other order
        BYTES_LITERAL("\x00\x02\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00"), // MD5 twice
        BYTES_LITERAL("\x00\x02\x00\x01x\x00\x00\x00\x00\x01\x00\x00"),    // with a parameter
        BYTES_LITERAL("\x00\x02\x00\x01xyz!\x00\x01\x00\x00"),             // padded otherwise
        BYTES_LITERAL("\x00\x02\x00\x00\x00\x01\x00\x01x"),                // not padded
        BYTES_LITERAL("\x00\x02\x00\x00\x00\x01\x00\x03"),                 // cut short
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        assert_false(is_offer(others[i]));
    }
    for (size_t len = 0; len <= sizeof offer; len++) {
        assert_int_equal(is_offer((struct bytes){offer, len}), len == sizeof offer);
    }
    for (size_t bit = 0; bit < 8 * sizeof offer; bit++) {
        uint8_t raw[sizeof offer];
        memcpy(raw, offer, sizeof raw);
        raw[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(is_offer((struct bytes){raw, sizeof raw}));
    }
}

static void fails_cleanly_in_every_room_that_is_too_small(void **state)
{
    (void)state;
    for (size_t room = 0; room <= 12; room++) {
        uint8_t *exact = exact_room(room);
        struct wr wr = wr_init(exact, room);
        stun_password_write(&wr, STUN_PASSWORD_MD5);
        assert_int_equal(wr_ok(&wr), room >= 8);
        wr = wr_init(exact, room);
        stun_password_offer_write(&wr);
        assert_int_equal(wr_ok(&wr), room >= 12);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(reads_no_third_algorithm),
        cmocka_unit_test(refuses_parameters_of_every_length),
        cmocka_unit_test(refuses_two_entries_for_one),
        cmocka_unit_test(offers_sha256_before_md5),
        cmocka_unit_test(knows_its_offer_from_every_other_list),
        cmocka_unit_test(fails_cleanly_in_every_room_that_is_too_small),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
