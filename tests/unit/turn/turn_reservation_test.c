// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_reservation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

static struct turn_reservation_store *store_of(struct turn_fixture *f)
{
    return &f->server->commons->reservations;
}

// Offers a port to a user, under a token of which the first byte is given.
static void offer(struct turn_fixture *f, uint64_t user, uint16_t port, uint8_t first,
                  uint8_t token[STUN_ATTR_RESERVATION_LEN])
{
    uint32_t index = turn_reservation_hold(store_of(f), user);

    memset(token, 0x3c, STUN_ATTR_RESERVATION_LEN);
    token[0] = first;
    turn_reservation_offer(store_of(f), index, f->now, port, ADDR_IP6, token);
}

static bool redeem(struct turn_fixture *f, uint64_t user, const uint8_t *token, size_t len,
                   uint16_t *port)
{
    struct turn_reservation redeemed = {0};

    if (!turn_reservation_redeem(store_of(f), user, (struct bytes){token, len}, &redeemed)) {
        return false;
    }
    assert_int_equal(redeemed.family, ADDR_IP6);
    assert_int_equal(redeemed.user, user);
    *port = redeemed.port;
    return true;
}

static void is_redeemed_once_by_its_user(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t token[STUN_ATTR_RESERVATION_LEN];
    uint16_t redeemed = 0;

    offer(f, 1, 50001, 7, token);
    assert_false(redeem(f, 2, token, sizeof token, &redeemed));
    assert_int_equal(redeemed, 0);
    assert_true(redeem(f, 1, token, sizeof token, &redeemed));
    assert_int_equal(redeemed, 50001);
    assert_int_equal(store_of(f)->pool.used, 0);
    assert_false(redeem(f, 1, token, sizeof token, &redeemed));
}

static void a_place_that_is_only_held_is_nobodys_yet(void **state)
{
    static const uint8_t zero[STUN_ATTR_RESERVATION_LEN];
    struct turn_fixture *f = *state;
    struct turn_reservation over;
    uint16_t port = 0;

    uint32_t index = turn_reservation_hold(store_of(f), 9);
    assert_false(redeem(f, 9, zero, sizeof zero, &port));
    f->now.mono_ns += 3600 * SECOND_NS;
    assert_false(turn_reservation_expire(store_of(f), f->now, &over));
    assert_int_equal(turn_reservation_drop(store_of(f), index), 9);
    assert_int_equal(store_of(f)->pool.used, 0);
}

static void no_other_token_will_do(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t token[STUN_ATTR_RESERVATION_LEN];
    uint16_t port = 0;

    offer(f, 1, 50001, 7, token);
    for (size_t bit = 0; bit < sizeof token * 8; bit++) {
        token[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(redeem(f, 1, token, sizeof token, &port));
        token[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_false(redeem(f, 1, token, 0, &port));
    assert_false(redeem(f, 1, token, sizeof token - 1, &port));
    assert_true(redeem(f, 1, token, sizeof token, &port));
}

// An Allocate with EVEN-PORT and its R bit, of a client at a port.
static int reserve(struct turn_fixture *f, uint16_t port, uint8_t token[STUN_ATTR_RESERVATION_LEN])
{
    struct turn_fixture_draft draft;

    f->tuple.client.port = port;
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    int outcome = turn_fixture_ask(f, &draft);
    if (outcome == TURN_FIXTURE_SUCCESS) {
        memcpy(token, turn_fixture_value(f, STUN_ATTR_RESERVATION_TOKEN).ptr,
               STUN_ATTR_RESERVATION_LEN);
    }
    return outcome;
}

static void tokens_are_random(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t tokens[4][STUN_ATTR_RESERVATION_LEN];

    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        assert_int_equal(reserve(f, (uint16_t)(4001 + i), tokens[i]), TURN_FIXTURE_SUCCESS);
        for (size_t j = 0; j < i; j++) {
            assert_memory_not_equal(tokens[i], tokens[j], 4); // not even halves agree
            assert_memory_not_equal(tokens[i] + 4, tokens[j] + 4, 4);
        }
    }
}

static void there_are_as_many_as_configured(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t tokens[4][STUN_ATTR_RESERVATION_LEN];
    uint16_t port = 0;

    for (uint8_t i = 0; i < 4; i++) {
        assert_true(turn_reservation_has_room(store_of(f)));
        offer(f, i, (uint16_t)(50001 + 2 * i), i, tokens[i]);
    }
    assert_false(turn_reservation_has_room(store_of(f)));
    for (uint8_t i = 4; i-- > 0;) {
        assert_true(redeem(f, i, tokens[i], sizeof tokens[i], &port));
        assert_int_equal(port, 50001 + 2 * i);
    }
}

// Whichever are redeemed meanwhile, from either end or from between.
static void those_that_are_left_expire_in_the_order_of_their_offers(void **state)
{
    struct turn_fixture *f = *state;

    for (unsigned redeemed = 0; redeemed < 16; redeemed++) { // a set of the four
        uint8_t tokens[4][STUN_ATTR_RESERVATION_LEN];
        struct turn_reservation over;
        uint64_t first_ns = f->now.mono_ns;
        uint16_t port = 0;
        for (uint8_t i = 0; i < 4; i++) {
            f->now.mono_ns = first_ns + i * SECOND_NS;
            offer(f, 1, (uint16_t)(50001 + 2 * i), i, tokens[i]);
        }
        for (uint8_t i = 0; i < 4; i++) {
            if ((redeemed >> i & 1) != 0) {
                assert_true(redeem(f, 1, tokens[i], sizeof tokens[i], &port));
            }
        }
        for (uint8_t i = 0; i < 4; i++) {
            f->now.mono_ns = first_ns + (30 + i) * SECOND_NS - 1;
            assert_false(turn_reservation_expire(store_of(f), f->now, &over));
            f->now.mono_ns++;
            bool is_over = turn_reservation_expire(store_of(f), f->now, &over);
            assert_int_equal(is_over, (redeemed >> i & 1) == 0);
            assert_true(!is_over || over.port == 50001 + 2 * i);
        }
        assert_int_equal(store_of(f)->pool.used, 0);
        assert_int_equal(store_of(f)->by_token.count, 0);
    }
}

static void gives_its_port_back_after_30_s(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    uint8_t token[STUN_ATTR_RESERVATION_LEN];

    assert_int_equal(reserve(f, 4001, token), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 30 * SECOND_NS - 1);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 1);
    assert_int_equal(turn_fixture_gauges(f).reservations, 1);
    turn_fixture_wait(f, 1);
    assert_true(turn_fixture_is_empty(f));
    assert_int_equal(f->command_count, 0);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN,
                    (struct bytes){token, sizeof token});
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
}

static void outlives_the_allocation_with_which_it_was_made(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    uint8_t token[STUN_ATTR_RESERVATION_LEN];

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    memcpy(token, turn_fixture_value(f, STUN_ATTR_RESERVATION_TOKEN).ptr, sizeof token);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN,
                    (struct bytes){token, sizeof token});
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(is_redeemed_once_by_its_user),
        TURN_FIXTURE_TEST(a_place_that_is_only_held_is_nobodys_yet),
        TURN_FIXTURE_TEST(no_other_token_will_do),
        TURN_FIXTURE_TEST(tokens_are_random),
        TURN_FIXTURE_TEST(there_are_as_many_as_configured),
        TURN_FIXTURE_TEST(those_that_are_left_expire_in_the_order_of_their_offers),
        TURN_FIXTURE_TEST(gives_its_port_back_after_30_s),
        TURN_FIXTURE_TEST(outlives_the_allocation_with_which_it_was_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
