// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_reservation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

// Takes an odd port and reserves it for a user.
static uint16_t reserve(struct turn_fixture *f, uint64_t user,
                        uint8_t token[STUN_ATTR_RESERVATION_LEN])
{
    struct turn_server *server = f->server;
    uint16_t port = 0;

    assert_true(turn_ports_take(&server->ports, TURN_PORTS_PAIR, &server->random, &port));
    turn_ports_give(&server->ports, port);
    turn_reservation_make(server, user, (uint16_t)(port + 1), ADDR_IP6, f->now, token);
    return (uint16_t)(port + 1);
}

static bool redeem(struct turn_fixture *f, uint64_t user, const uint8_t *token, size_t len,
                   uint16_t *port)
{
    uint8_t family = 0;
    bool is_redeemed =
        turn_reservation_redeem(f->server, user, (struct bytes){token, len}, port, &family);

    assert_int_equal(family, is_redeemed ? ADDR_IP6 : 0);
    return is_redeemed;
}

static void is_redeemed_once_by_its_user(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t token[STUN_ATTR_RESERVATION_LEN];
    uint16_t redeemed = 0;

    uint16_t port = reserve(f, 1, token);
    assert_false(redeem(f, 2, token, sizeof token, &redeemed));
    assert_int_equal(redeemed, 0);
    assert_true(redeem(f, 1, token, sizeof token, &redeemed));
    assert_int_equal(redeemed, port);
    assert_int_equal(turn_fixture_gauges(f).reservations, 0);
    assert_int_equal(turn_fixture_gauges(f).timers, 0);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 1); // whoever redeemed it has it now
    assert_false(redeem(f, 1, token, sizeof token, &redeemed));
}

static void no_other_token_will_do(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t token[STUN_ATTR_RESERVATION_LEN];
    uint16_t port = 0;

    reserve(f, 1, token);
    for (size_t bit = 0; bit < sizeof token * 8; bit++) {
        token[bit / 8] ^= (uint8_t)(1U << bit % 8);
        assert_false(redeem(f, 1, token, sizeof token, &port));
        token[bit / 8] ^= (uint8_t)(1U << bit % 8);
    }
    assert_false(redeem(f, 1, token, 0, &port));
    assert_false(redeem(f, 1, token, sizeof token - 1, &port));
    assert_true(redeem(f, 1, token, sizeof token, &port));
}

static void tokens_are_random(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t tokens[4][STUN_ATTR_RESERVATION_LEN];

    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        reserve(f, 1, tokens[i]);
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
    uint16_t ports[4];
    uint16_t port = 0;

    for (size_t i = 0; i < 4; i++) {
        assert_true(turn_reservation_has_room(f->server));
        ports[i] = reserve(f, i, tokens[i]);
    }
    assert_false(turn_reservation_has_room(f->server));
    for (size_t i = 4; i-- > 0;) {
        assert_true(redeem(f, i, tokens[i], sizeof tokens[i], &port));
        assert_int_equal(port, ports[i]);
    }
}

static void gives_its_port_back_after_30_s(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t token[STUN_ATTR_RESERVATION_LEN];
    uint16_t port = 0;

    reserve(f, 1, token);
    turn_fixture_wait(f, 30 * SECOND_NS - 1);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 1);
    turn_fixture_wait(f, 1);
    assert_true(turn_fixture_is_empty(f));
    assert_int_equal(f->command_count, 0);
    assert_false(redeem(f, 1, token, sizeof token, &port));
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
        TURN_FIXTURE_TEST(no_other_token_will_do),
        TURN_FIXTURE_TEST(tokens_are_random),
        TURN_FIXTURE_TEST(there_are_as_many_as_configured),
        TURN_FIXTURE_TEST(gives_its_port_back_after_30_s),
        TURN_FIXTURE_TEST(outlives_the_allocation_with_which_it_was_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
