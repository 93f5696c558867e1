// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_nonce.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "support/rng.h"

static const uint8_t secret[TURN_NONCE_SECRET_LEN] = {1, 2, 3, 4};
static const struct addr client = {{192, 0, 2, 1}, 4001, ADDR_IP4, 0};

static struct now at_s(uint64_t seconds)
{
    return (struct now){.mono_ns = seconds * SECOND_NS};
}

static bool is_good(struct turn_nonce *nonce, uint64_t now_s, const uint8_t text[TURN_NONCE_LEN])
{
    return turn_nonce_is_good(nonce, at_s(now_s), &client, (struct bytes){text, TURN_NONCE_LEN});
}

static void is_good_for_an_hour(void **state)
{
    // At the start of an hour, in the midst of it, at its end, and at the start of time.
    static const uint64_t made_s[] = {36000, 37000, 39599, 0, 1};
    struct turn_nonce nonce;

    (void)state;
    turn_nonce_init(&nonce, secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    for (size_t i = 0; i < COUNT_OF(made_s); i++) {
        uint8_t text[TURN_NONCE_LEN];
        turn_nonce_write(&nonce, at_s(made_s[i]), &client, text);
        for (uint64_t age_s = 0; age_s <= 3600; age_s++) {
            assert_true(is_good(&nonce, made_s[i] + age_s, text));
        }
        for (uint64_t age_s = 3601; age_s <= 3 * 3600; age_s += 7) {
            assert_false(is_good(&nonce, made_s[i] + age_s, text));
        }
    }
}

static void is_good_across_the_change_of_keys(void **state)
{
    struct turn_nonce nonce;
    uint8_t before[TURN_NONCE_LEN];
    uint8_t after[TURN_NONCE_LEN];

    (void)state;
    turn_nonce_init(&nonce, secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    turn_nonce_write(&nonce, at_s(7199), &client, before);
    turn_nonce_write(&nonce, at_s(7200), &client, after);
    for (int i = 0; i < 3; i++) { // the two keys live side by side, whoever is asked for first
        assert_true(is_good(&nonce, 7200, before));
        assert_true(is_good(&nonce, 7200, after));
    }
    assert_true(is_good(&nonce, 10799, before));
    assert_false(is_good(&nonce, 10800, before)); // the key's hour is over, and so is the nonce's
    assert_true(is_good(&nonce, 10800, after));
    assert_false(is_good(&nonce, 10801, after));
}

static void is_too_old_even_while_its_key_lives(void **state)
{
    struct turn_nonce nonce;
    uint8_t text[TURN_NONCE_LEN];

    (void)state;
    turn_nonce_init(&nonce, secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    turn_nonce_write(&nonce, at_s(7200), &client, text);
    assert_false(is_good(&nonce, 10801, text)); // the key of hour 2 is alive in hour 3
}

// But for a second, since the clock of who is asked may have been read before that of who made it.
static void is_not_good_before_it_was_made(void **state)
{
    struct turn_nonce nonce;
    uint8_t text[TURN_NONCE_LEN];

    (void)state;
    turn_nonce_init(&nonce, secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    for (uint64_t made_s = 7200; made_s < 7300; made_s += 99) { // of the next hour, too
        turn_nonce_write(&nonce, at_s(made_s), &client, text);
        assert_true(is_good(&nonce, made_s - 1, text));
        assert_false(is_good(&nonce, made_s - 2, text));
        assert_false(is_good(&nonce, 0, text));
    }
}

static void is_good_for_one_address_and_port(void **state)
{
    struct turn_nonce nonce;
    uint8_t text[TURN_NONCE_LEN];
    struct bytes span = {text, sizeof text};
    struct addr other_port = addr_with_port(client, 4002);
    struct addr other_ip = client;
    struct addr other_family = client;

    (void)state;
    other_ip.ip[3]++;
    other_family.family = ADDR_IP6;
    turn_nonce_init(&nonce, secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    turn_nonce_write(&nonce, at_s(8000), &client, text);
    assert_true(turn_nonce_is_good(&nonce, at_s(8000), &client, span));
    assert_false(turn_nonce_is_good(&nonce, at_s(8000), &other_port, span));
    assert_false(turn_nonce_is_good(&nonce, at_s(8000), &other_ip, span));
    assert_false(turn_nonce_is_good(&nonce, at_s(8000), &other_family, span));
}

static void is_good_for_its_secret_alone(void **state)
{
    struct turn_nonce nonce;
    struct turn_nonce other;
    uint8_t other_secret[TURN_NONCE_SECRET_LEN];
    uint8_t text[TURN_NONCE_LEN];

    (void)state;
    memcpy(other_secret, secret, sizeof secret);
    other_secret[31] ^= 1;
    turn_nonce_init(&nonce, secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    turn_nonce_init(&other, other_secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    turn_nonce_write(&nonce, at_s(8000), &client, text);
    assert_false(is_good(&other, 8000, text));
    // The state is derived: nothing was remembered of the first.
    turn_nonce_init(&other, secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    assert_true(is_good(&other, 8000, text));
}

static void refuses_every_other_text(void **state)
{
    struct rng rng = rng_init(rng_seed("turn_nonce"));
    struct turn_nonce nonce;
    uint8_t good[TURN_NONCE_LEN];

    (void)state;
    turn_nonce_init(&nonce, secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    turn_nonce_write(&nonce, at_s(8000), &client, good);
    for (size_t at = 0; at < TURN_NONCE_LEN; at++) { // one character is another
        for (unsigned c = 0; c < 256; c++) {
            uint8_t text[TURN_NONCE_LEN];
            memcpy(text, good, sizeof text);
            text[at] = (uint8_t)c;
            assert_int_equal(is_good(&nonce, 8000, text), good[at] == c);
        }
    }
    for (size_t len = 0; len < TURN_NONCE_LEN; len++) { // cut off
        uint8_t *text = malloc(len);
        assert_non_null(text);
        memcpy(text, good, len);
        assert_false(turn_nonce_is_good(&nonce, at_s(8000), &client, (struct bytes){text, len}));
        free(text);
    }
    uint8_t longer[TURN_NONCE_LEN + 4] = {0};
    memcpy(longer, good, sizeof good);
    memset(longer + sizeof good, 'A', 4);
    assert_false(
        turn_nonce_is_good(&nonce, at_s(8000), &client, (struct bytes){longer, sizeof longer}));
    for (int i = 0; i < 10000; i++) { // right stamp, guessed proof
        uint8_t raw[15] = {0, 0, 8000 >> 8, 8000 & 0xff, 0};
        uint8_t text[TURN_NONCE_LEN];
        memcpy(text, good, STUN_COOKIE_LEN);
        struct wr wr = wr_init(text + STUN_COOKIE_LEN, TURN_NONCE_TOKEN_LEN);
        rng_fill(&rng, raw + 5, 10);
        base64_write(&wr, (struct bytes){raw, sizeof raw}, false);
        assert_false(is_good(&nonce, 8000, text));
    }
}

static void a_stamp_moved_forward_is_a_forgery(void **state)
{
    struct turn_nonce nonce;
    uint8_t text[TURN_NONCE_LEN];
    uint8_t raw[15];

    (void)state;
    turn_nonce_init(&nonce, secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    turn_nonce_write(&nonce, at_s(8000), &client, text);
    assert_true(
        base64_read((struct bytes){text + STUN_COOKIE_LEN, TURN_NONCE_TOKEN_LEN}, raw, sizeof raw));
    for (uint16_t stamp = 8001; stamp < 8100; stamp++) {
        struct wr stamp_at = wr_init(raw, 4);
        struct wr wr = wr_init(text + STUN_COOKIE_LEN, TURN_NONCE_TOKEN_LEN);
        wr_u32(&stamp_at, stamp);
        base64_write(&wr, (struct bytes){raw, sizeof raw}, false);
        assert_false(is_good(&nonce, 8200, text));
    }
}

static void is_printable_without_padding(void **state)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    struct turn_nonce nonce;

    (void)state;
    turn_nonce_init(&nonce, secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    for (uint64_t second = 0; second < 500; second++) {
        uint8_t text[TURN_NONCE_LEN];
        turn_nonce_write(&nonce, at_s(second), &client, text);
        for (size_t i = 0; i < sizeof text; i++) {
            assert_non_null(strchr(alphabet, text[i]));
        }
    }
}

// RFC 8489 section 9.2: what the server can do stands in front, where nobody can take it away.
static void begins_with_the_cookie_of_its_features(void **state)
{
    static const uint32_t features[] = {
        0,
        STUN_COOKIE_PASSWORD_ALGORITHMS,
        STUN_COOKIE_USERNAME_ANONYMITY,
        STUN_COOKIE_PASSWORD_ALGORITHMS | STUN_COOKIE_USERNAME_ANONYMITY,
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(features); i++) {
        struct turn_nonce nonce;
        uint8_t text[TURN_NONCE_LEN];
        uint32_t read = 0xee;
        turn_nonce_init(&nonce, secret, features[i]);
        turn_nonce_write(&nonce, at_s(8000), &client, text);
        assert_true(stun_cookie_read((struct bytes){text, sizeof text}, &read));
        assert_int_equal(read, features[i]);
        assert_true(is_good(&nonce, 8000, text));
    }
}

// Bid-down: a nonce whose cookie promises less than the server does is none of the server's.
static void refuses_a_cookie_of_other_features(void **state)
{
    struct turn_nonce nonce;
    struct turn_nonce weaker;
    uint8_t text[TURN_NONCE_LEN];
    uint8_t weak_text[TURN_NONCE_LEN];

    (void)state;
    turn_nonce_init(&nonce, secret, STUN_COOKIE_PASSWORD_ALGORITHMS);
    turn_nonce_init(&weaker, secret, 0);
    turn_nonce_write(&nonce, at_s(8000), &client, text);
    turn_nonce_write(&weaker, at_s(8000), &client, weak_text);
    assert_memory_equal(text + STUN_COOKIE_LEN, weak_text + STUN_COOKIE_LEN, TURN_NONCE_TOKEN_LEN);
    assert_false(is_good(&nonce, 8000, weak_text));
    assert_false(is_good(&weaker, 8000, text));
    // And one without any cookie, as a server of RFC 5389 would make it.
    assert_false(turn_nonce_is_good(&nonce, at_s(8000), &client,
                                    (struct bytes){text + STUN_COOKIE_LEN, TURN_NONCE_TOKEN_LEN}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_good_for_an_hour),
        cmocka_unit_test(is_good_across_the_change_of_keys),
        cmocka_unit_test(is_too_old_even_while_its_key_lives),
        cmocka_unit_test(is_not_good_before_it_was_made),
        cmocka_unit_test(is_good_for_one_address_and_port),
        cmocka_unit_test(is_good_for_its_secret_alone),
        cmocka_unit_test(refuses_every_other_text),
        cmocka_unit_test(a_stamp_moved_forward_is_a_forgery),
        cmocka_unit_test(is_printable_without_padding),
        cmocka_unit_test(begins_with_the_cookie_of_its_features),
        cmocka_unit_test(refuses_a_cookie_of_other_features),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
