// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_cookie.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/rfc8489.h"
#include "support/dies.h"
#include "support/exact.h"

// Reads a cookie from an exact copy and asserts that a refusal leaves the output alone.
static bool is_read(struct bytes nonce, uint32_t *features)
{
    struct bytes copy = exact_copy(nonce);
    uint32_t got = 7777777;
    bool is_ok = stun_cookie_read(copy, &got);

    if (is_ok) {
        *features = got;
    } else {
        assert_int_equal(got, 7777777);
    }
    exact_free(copy);
    return is_ok;
}

static void reads_the_nonce_of_rfc_8489(void **state)
{
    uint32_t features = 0;

    (void)state;
    assert_true(is_read(rfc8489_nonce(), &features));
    assert_int_equal(features, STUN_COOKIE_USERNAME_ANONYMITY);
}

// The places that erratum 6290 gives the two features.
static void spells_each_feature(void **state)
{
    static const struct {
        uint32_t features;
        const char *text;
    } rows[] = {
        {0, "obMatJos2AAAA"},
        {STUN_COOKIE_PASSWORD_ALGORITHMS, "obMatJos2AAAB"},
        {STUN_COOKIE_USERNAME_ANONYMITY, "obMatJos2AAAC"},
        {STUN_COOKIE_PASSWORD_ALGORITHMS | STUN_COOKIE_USERNAME_ANONYMITY, "obMatJos2AAAD"},
        {0x800000, "obMatJos2gAAA"},
        {0x00ff00, "obMatJos2AP8A"},
        {0xffffff, "obMatJos2////"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t raw[STUN_COOKIE_LEN];
        struct wr wr = wr_init(raw, sizeof raw);
        uint32_t features = 1;

        stun_cookie_write(&wr, rows[i].features);
        assert_true(wr_ok(&wr));
        assert_int_equal(wr.room, 0);
        assert_true(bytes_equal_text(wr_done(&wr), rows[i].text));
        assert_true(is_read(bytes_of_text(rows[i].text), &features));
        assert_int_equal(features, rows[i].features);
    }
}

static void reads_every_bit_that_it_writes(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 24; bit++) {
        uint8_t raw[STUN_COOKIE_LEN];
        struct wr wr = wr_init(raw, sizeof raw);
        uint32_t features = 0;

        stun_cookie_write(&wr, UINT32_C(1) << bit);
        assert_true(is_read(wr_done(&wr), &features));
        assert_int_equal(features, UINT32_C(1) << bit);
    }
}

static void refuses_every_truncation(void **state)
{
    struct bytes nonce = rfc8489_nonce();
    uint32_t features = 0;

    (void)state;
    for (size_t len = 0; len <= nonce.len; len++) {
        assert_int_equal(is_read(bytes_first(nonce, len), &features), len >= STUN_COOKIE_LEN);
    }
    assert_false(is_read((struct bytes){0}, &features));
}

// Each of the 13 characters takes each of the 256 values.
static void refuses_every_other_character(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char text[] = "obMatJos2AAAC";
    uint32_t features = 0;

    (void)state;
    for (size_t at = 0; at < STUN_COOKIE_LEN; at++) {
        const char right = text[at];
        for (unsigned c = 0; c < 256; c++) {
            const bool is_base64 = c != 0 && strchr(alphabet, (int)c) != NULL;
            text[at] = (char)c;
            assert_int_equal(
                is_read((struct bytes){(const uint8_t *)text, STUN_COOKIE_LEN}, &features),
                at < 9 ? text[at] == right : is_base64);
        }
        text[at] = right;
    }
}

static void ignores_what_follows_the_cookie(void **state)
{
    uint32_t features = 0;

    (void)state;
    assert_true(is_read(bytes_of_text("obMatJos2AAAB\x01\xff \"=="), &features));
    assert_int_equal(features, STUN_COOKIE_PASSWORD_ALGORITHMS);
    assert_false(is_read(bytes_of_text(" obMatJos2AAAB"), &features)); // only at the front
}

static void fails_cleanly_in_every_room_that_is_too_small(void **state)
{
    (void)state;
    for (size_t room = 0; room <= STUN_COOKIE_LEN; room++) {
        uint8_t *exact = exact_room(room);
        struct wr wr = wr_init(exact, room);
        stun_cookie_write(&wr, STUN_COOKIE_USERNAME_ANONYMITY);
        assert_int_equal(wr_ok(&wr), room == STUN_COOKIE_LEN);
        free(exact);
    }
}

static void write_too_many_bits(void *context)
{
    uint8_t raw[STUN_COOKIE_LEN];
    struct wr wr = wr_init(raw, sizeof raw);

    (void)context;
    stun_cookie_write(&wr, 1 << 24);
}

static void asserts_that_24_bits_hold_the_features(void **state)
{
    (void)state;
    assert_true(dies(write_too_many_bits, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_the_nonce_of_rfc_8489),
        cmocka_unit_test(spells_each_feature),
        cmocka_unit_test(reads_every_bit_that_it_writes),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(refuses_every_other_character),
        cmocka_unit_test(ignores_what_follows_the_cookie),
        cmocka_unit_test(fails_cleanly_in_every_room_that_is_too_small),
        cmocka_unit_test(asserts_that_24_bits_hold_the_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
