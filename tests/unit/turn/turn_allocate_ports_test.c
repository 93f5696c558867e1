// SPDX-License-Identifier: Apache-2.0
// Which ports Allocate requests get, and what they are told when there is none.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_error.h"
#include "turn/turn_allocate.h"
#include "turn/turn_fixture.h"

// --- Even ports and reservations -----------------------------------------------------------------

static void ask_even(struct turn_fixture *f, struct turn_fixture_draft *draft, uint8_t flags)
{
    turn_fixture_begin_allocate(f, draft);
    stun_attr_u8_write(&draft->writer.wr, STUN_ATTR_EVEN_PORT, flags);
    assert_int_equal(turn_fixture_ask(f, draft), TURN_FIXTURE_SUCCESS);
}

static void gives_an_even_port_when_asked(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    for (uint16_t i = 0; i < 8; i++) {
        f->tuple.client.port = (uint16_t)(4001 + i);
        ask_even(f, &draft, 0x7f); // the other bits mean nothing
        assert_int_equal(turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS).port % 2, 0);
        assert_false(stun_message_has(&f->response, STUN_ATTR_RESERVATION_TOKEN));
    }
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 8);
}

// The token of a response.
static struct bytes token_of(const struct turn_fixture *f, uint8_t to[STUN_ATTR_RESERVATION_LEN])
{
    struct bytes token = turn_fixture_value(f, STUN_ATTR_RESERVATION_TOKEN);

    assert_int_equal(token.len, STUN_ATTR_RESERVATION_LEN);
    memcpy(to, token.ptr, token.len);
    return (struct bytes){to, STUN_ATTR_RESERVATION_LEN};
}

static void holds_the_next_port_for_the_token(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    uint8_t raw[STUN_ATTR_RESERVATION_LEN];

    ask_even(f, &draft, STUN_ATTR_EVEN_PORT_RESERVE);
    struct addr first = turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS);
    struct bytes token = token_of(f, raw);
    assert_int_equal(first.port % 2, 0);
    assert_int_equal(turn_fixture_gauges(f).reservations, 1);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 2);

    f->tuple.client.port = 4002;
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN, token);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    struct addr second = turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS);
    assert_int_equal(second.port, first.port + 1);
    assert_true(addr_same_ip(&second, &first));
    assert_int_equal(turn_fixture_gauges(f).reservations, 0);

    f->tuple.client.port = 4003; // it is good once
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN, token);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
}

static void a_reservation_has_the_family_of_its_allocation(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    uint8_t raw[STUN_ATTR_RESERVATION_LEN];

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    struct bytes token = token_of(f, raw);
    f->tuple.client.port = 4002;
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN, token);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS).family, ADDR_IP6);
}

static void a_reservation_ends_after_30_s(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    uint8_t raw[STUN_ATTR_RESERVATION_LEN];

    ask_even(f, &draft, STUN_ATTR_EVEN_PORT_RESERVE);
    struct bytes token = token_of(f, raw);
    turn_fixture_wait(f, 30 * SECOND_NS - 1);
    assert_int_equal(turn_fixture_gauges(f).reservations, 1);
    turn_fixture_wait(f, 1);
    assert_int_equal(turn_fixture_gauges(f).reservations, 0);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 1);
    f->tuple.client.port = 4002;
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN, token);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
}

static void a_token_is_good_for_its_user_alone(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    uint8_t raw[STUN_ATTR_RESERVATION_LEN];

    ask_even(f, &draft, STUN_ATTR_EVEN_PORT_RESERVE);
    struct bytes token = token_of(f, raw);
    f->tuple.client.port = 4002;
    f->user = "bob";
    f->password = "hidden";
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN, token);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    assert_int_equal(turn_fixture_gauges(f).reservations, 1); // and it is still hers
    f->user = "alice";
    f->password = "secret";
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN, token);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
}

// --- What runs out -------------------------------------------------------------------------------

static void refuses_by_508_what_the_pools_cannot_hold(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    for (uint16_t i = 0; i < 8; i++) {
        f->tuple.client.port = (uint16_t)(4001 + i);
        turn_fixture_allocate(f);
    }
    f->tuple.client.port = 5000;
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    const struct turn_command_report *report = turn_fixture_report(f, TURN_EVENT_EXHAUSTED);
    assert_non_null(report);
    assert_int_equal(report->refusal, TURN_REFUSAL_ALLOCATIONS);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_ALLOCATIONS), 1);
    f->tuple.client.port = 4001;
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    f->tuple.client.port = 5000;
    turn_fixture_allocate(f); // there is room again
}

static void refuses_by_508_without_a_port_as_wished(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct turn_fixture_draft draft;

    config.lowest_port = 50001; // odd, even, odd
    config.highest_port = 50003;
    turn_fixture_restart(f, &config);
    ask_even(f, &draft, STUN_ATTR_EVEN_PORT_RESERVE);
    f->tuple.client.port = 4002;
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, 0);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    assert_int_equal(turn_fixture_gauges(f).allocations, 1);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS).port, 50001);
    f->tuple.client.port = 4003;
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    assert_int_equal(turn_fixture_report(f, TURN_EVENT_EXHAUSTED)->refusal, TURN_REFUSAL_PORTS);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_PORTS), 2);
}

static void refuses_by_508_more_reservations_than_it_holds(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    for (uint16_t i = 0; i < 4; i++) {
        f->tuple.client.port = (uint16_t)(4001 + i);
        ask_even(f, &draft, STUN_ATTR_EVEN_PORT_RESERVE);
    }
    f->tuple.client.port = 5000;
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 8);
}

// --- What the system refuses ---------------------------------------------------------------------

static void tries_another_port_when_one_is_refused(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    f->refusals = TURN_ALLOCATE_TRIES - 1;
    f->refusal = TURN_PORT_REFUSED;
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_OPEN), TURN_ALLOCATE_TRIES);
    for (uint32_t i = 0; i < f->command_count; i++) {
        for (uint32_t j = 0; j < i; j++) { // each another one: the refused ones rest
            if (f->commands[i].type == TURN_COMMAND_OPEN &&
                f->commands[j].type == TURN_COMMAND_OPEN) {
                assert_int_not_equal(f->commands[i].socket.relayed.port,
                                     f->commands[j].socket.relayed.port);
            }
        }
    }
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, TURN_ALLOCATE_TRIES);
    turn_fixture_wait(f, 60 * SECOND_NS);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 1);
}

static void gives_up_after_8_tries(void **state)
{
    struct turn_fixture *f = *state;

    for (uint8_t flags = 0; flags < 3; flags++) { // any port, an even one, a pair
        struct turn_fixture_draft draft;
        f->refusals = TURN_ALLOCATE_TRIES;
        f->refusal = TURN_PORT_REFUSED;
        turn_fixture_begin_allocate(f, &draft);
        if (flags > 0) {
            stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT,
                               flags == 2 ? STUN_ATTR_EVEN_PORT_RESERVE : 0);
        }
        assert_int_equal(turn_fixture_ask(f, &draft), 508);
        assert_int_equal(turn_fixture_count(f, TURN_COMMAND_OPEN), 8);
        assert_int_equal(f->refusals, 0);
        assert_int_equal(turn_fixture_count(f, TURN_COMMAND_CLOSE), 0);
        assert_non_null(turn_fixture_report(f, TURN_EVENT_PORT_REFUSED));
        assert_non_null(turn_fixture_report(f, TURN_EVENT_EXHAUSTED));
        assert_int_equal(turn_fixture_gauges(f).allocations, 0);
        assert_int_equal(turn_fixture_gauges(f).ports_in_use, 8); // they rest
        turn_fixture_wait(f, 60 * SECOND_NS - 1);
        assert_int_equal(turn_fixture_gauges(f).ports_in_use, 8);
        turn_fixture_wait(f, 1);
        assert_true(turn_fixture_is_empty(f));
    }
}

static void gives_up_at_once_when_the_system_has_none(void **state)
{
    struct turn_fixture *f = *state;

    for (uint8_t flags = 0; flags < 3; flags++) {
        struct turn_fixture_draft draft;
        f->refusals = 1;
        f->refusal = TURN_SYSTEM_REFUSED;
        turn_fixture_begin_allocate(f, &draft);
        if (flags > 0) {
            stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT,
                               flags == 2 ? STUN_ATTR_EVEN_PORT_RESERVE : 0);
        }
        assert_int_equal(turn_fixture_ask(f, &draft), 508);
        assert_int_equal(turn_fixture_count(f, TURN_COMMAND_OPEN), 1);
        assert_true(turn_fixture_is_empty(f)); // the port is as good as before
    }
    turn_fixture_allocate(f);
}

static void a_reserved_port_has_no_other(void **state)
{
    static const enum turn_opened refusals[] = {TURN_PORT_REFUSED, TURN_SYSTEM_REFUSED};
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        struct turn_fixture_draft draft;
        uint8_t raw[STUN_ATTR_RESERVATION_LEN];
        f->tuple.client.port = 4001;
        ask_even(f, &draft, STUN_ATTR_EVEN_PORT_RESERVE);
        struct bytes token = token_of(f, raw);
        f->refusals = 1;
        f->refusal = refusals[i];
        f->tuple.client.port = 4002;
        turn_fixture_begin_allocate(f, &draft);
        stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN, token);
        assert_int_equal(turn_fixture_ask(f, &draft), 508);
        assert_int_equal(turn_fixture_count(f, TURN_COMMAND_OPEN), 1);
        assert_int_equal(turn_fixture_gauges(f).reservations, 0);
        turn_fixture_wait(f, 600 * SECOND_NS);
        assert_true(turn_fixture_is_empty(f));
    }
}

static void tries_as_long_as_there_are_ports(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct turn_fixture_draft draft;

    config.highest_port = 50002;
    turn_fixture_restart(f, &config);
    f->refusals = 8;
    f->refusal = TURN_PORT_REFUSED;
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 508);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_OPEN), 3);
    f->refusals = 0;
    turn_fixture_wait(f, 60 * SECOND_NS);
    turn_fixture_allocate(f);
}
int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(gives_an_even_port_when_asked),
        TURN_FIXTURE_TEST(holds_the_next_port_for_the_token),
        TURN_FIXTURE_TEST(a_reservation_has_the_family_of_its_allocation),
        TURN_FIXTURE_TEST(a_reservation_ends_after_30_s),
        TURN_FIXTURE_TEST(a_token_is_good_for_its_user_alone),
        TURN_FIXTURE_TEST(refuses_by_508_what_the_pools_cannot_hold),
        TURN_FIXTURE_TEST(refuses_by_508_without_a_port_as_wished),
        TURN_FIXTURE_TEST(refuses_by_508_more_reservations_than_it_holds),
        TURN_FIXTURE_TEST(tries_another_port_when_one_is_refused),
        TURN_FIXTURE_TEST(gives_up_after_8_tries),
        TURN_FIXTURE_TEST(gives_up_at_once_when_the_system_has_none),
        TURN_FIXTURE_TEST(a_reserved_port_has_no_other),
        TURN_FIXTURE_TEST(tries_as_long_as_there_are_ports),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
