// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_allocate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_error.h"
#include "turn/turn_fixture.h"

// --- What a success says -------------------------------------------------------------------------

static void tells_both_addresses_and_the_lifetime(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_allocate(f);
    struct addr relayed = turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS);
    struct addr mapped = turn_fixture_address(f, STUN_ATTR_XOR_MAPPED_ADDRESS);
    assert_true(addr_same_ip(&relayed, &f->config.public_ip4));
    assert_in_range(relayed.port, 50000, 50099);
    assert_true(addr_equal(&mapped, &f->tuple.client));
    assert_int_equal(turn_fixture_number(f, STUN_ATTR_LIFETIME), 600);
    assert_false(stun_message_has(&f->response, STUN_ATTR_RESERVATION_TOKEN));
    assert_int_equal(f->response.header.method, STUN_ALLOCATE);
}

static void opens_before_it_answers_and_then_reports(void **state)
{
    struct turn_fixture *f = *state;

    struct pool_ref allocation = turn_fixture_allocate(f);
    assert_int_equal(f->command_count, 3);
    assert_int_equal(f->commands[0].type, TURN_COMMAND_OPEN);
    assert_int_equal(f->commands[1].type, TURN_COMMAND_SEND);
    assert_int_equal(f->commands[2].type, TURN_COMMAND_REPORT);
    struct addr relayed = turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS);
    assert_true(addr_equal(&f->commands[0].socket.relayed, &relayed));
    assert_int_not_equal(allocation.index, POOL_NONE);
    const struct turn_command_report *report = turn_fixture_report(f, TURN_EVENT_ALLOCATED);
    assert_non_null(report);
    assert_true(addr_equal(&report->relayed, &relayed));
    assert_true(addr_equal(&report->tuple.client, &f->tuple.client));
    assert_true(bytes_equal_text(report->username, "alice"));
    assert_int_equal(report->lifetime_s, 600);
}

// RFC 8656 section 21.4: what comes through a tunnel could be sent into it again.
static void refuses_clients_of_tunnels(void **state)
{
    static const char *const tunnels[] = {"2002:900::1", "2001:0:1:2:3:4:f6ff:fffe"};
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(tunnels); i++) {
        struct turn_fixture_draft draft;
        f->tuple.client = turn_fixture_addr(tunnels[i], 4001);
        turn_fixture_begin_allocate(f, &draft);
        assert_int_equal(turn_fixture_ask(f, &draft), 403);
        assert_non_null(turn_fixture_report(f, TURN_EVENT_EXHAUSTED));
        assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_TUNNELLED_CLIENT), i + 1);
        assert_int_equal(turn_fixture_gauges(f).allocations, 0);
    }
    f->tuple.client = turn_fixture_addr("2003:900::1", 4001);
    turn_fixture_allocate(f);
}

static void gives_one_port_to_one_client(void **state)
{
    struct turn_fixture *f = *state;

    for (uint16_t i = 0; i < 8; i++) {
        f->tuple.client.port = (uint16_t)(4001 + i);
        turn_fixture_allocate(f);
        assert_int_equal(turn_fixture_gauges(f).allocations, i + 1);
        assert_int_equal(turn_fixture_gauges(f).ports_in_use, i + 1);
        assert_int_equal(turn_fixture_gauges(f).timers, i + 1);
    }
}

// --- Lifetimes -----------------------------------------------------------------------------------

static void grants_lifetimes_between_floor_and_cap(void **state)
{
    static const struct {
        uint32_t wish_s;
        uint32_t granted_s;
    } rows[] = {
        {0, 600},     {1, 600},     {599, 600},   {600, 600},         {601, 601},
        {3599, 3599}, {3600, 3600}, {3601, 3600}, {UINT32_MAX, 3600},
    };
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct turn_fixture_draft draft;
        turn_fixture_begin_allocate(f, &draft);
        stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, rows[i].wish_s);
        assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_number(f, STUN_ATTR_LIFETIME), rows[i].granted_s);
        turn_fixture_wait(f, rows[i].granted_s * SECOND_NS - 1);
        assert_int_equal(turn_fixture_gauges(f).allocations, 1);
        turn_fixture_wait(f, 1);
        assert_true(turn_fixture_is_empty(f));
    }
}

static void grants_the_default_to_those_who_name_none(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    config.min_lifetime_s = 60;
    config.default_lifetime_s = 900;
    turn_fixture_restart(f, &config);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_number(f, STUN_ATTR_LIFETIME), 900);
}

// --- The same client once more -------------------------------------------------------------------

static void answers_a_retransmission_byte_by_byte_alike(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    uint8_t first[TURN_COMMAND_MESSAGE_MAX];

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    turn_fixture_sign(f, &draft);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
    struct bytes response = f->response.whole;
    size_t first_len = response.len;
    memcpy(first, response.ptr, first_len);
    struct turn_gauges before = turn_fixture_gauges(f);

    turn_fixture_wait(f, 20 * SECOND_NS);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
    assert_int_equal(f->response.whole.len, first_len);
    assert_memory_equal(f->response.whole.ptr, first, first_len);
    assert_int_equal(f->command_count, 1); // nothing is opened and nothing reported
    struct turn_gauges after = turn_fixture_gauges(f);
    assert_memory_equal(&after, &before, sizeof before);
}

static void a_retransmission_does_not_prolong(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    turn_fixture_sign(f, &draft);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 300 * SECOND_NS);
    assert_int_equal(turn_fixture_send(f, turn_fixture_finish(&draft)), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 300 * SECOND_NS);
    assert_true(turn_fixture_is_empty(f));
}

static void refuses_another_allocate_by_437(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_allocate(f);
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 437);
    // Whatever else is wrong with it: the 5-tuple is looked at first.
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_ALLOCATE);
    assert_int_equal(turn_fixture_ask(f, &draft), 437);
    assert_int_equal(turn_fixture_gauges(f).allocations, 1);
}

static void refuses_anothers_transaction_by_437(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_allocate(f);
    f->user = "bob";
    f->password = "hidden";
    f->transaction -= 2; // the Allocate's, then the nonce's
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 437);
}

static void the_5_tuple_includes_the_servers_address(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_allocate(f);
    f->tuple.server = turn_fixture_addr("203.0.113.8", 3478);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_gauges(f).allocations, 2);
}

// --- Bad requests --------------------------------------------------------------------------------

static void wants_udp(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_ALLOCATE);
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    for (unsigned protocol = 0; protocol < 256; protocol++) {
        turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_ALLOCATE);
        stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_TRANSPORT, (uint8_t)protocol);
        int code = turn_fixture_ask(f, &draft);
        assert_int_equal(code, protocol == 17 ? TURN_FIXTURE_SUCCESS : 442);
        if (code == TURN_FIXTURE_SUCCESS) {
            assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
        }
    }
}

static void serves_the_families_it_has_addresses_of(void **state)
{
    struct turn_fixture *f = *state;

    for (int has = 1; has < 4; has++) { // bit 0: IPv4, bit 1: IPv6
        for (uint8_t family = 0; family < 3; family++) {
            struct turn_config config = turn_fixture_config();
            struct turn_fixture_draft draft;
            if ((has & 1) == 0) {
                config.public_ip4 = (struct addr){0};
            }
            if ((has & 2) == 0) {
                config.public_ip6 = (struct addr){0};
            }
            turn_fixture_restart(f, &config);
            turn_fixture_begin_allocate(f, &draft);
            if (family != 0) { // else none is asked for, which means IPv4
                stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, family);
            }
            bool is_served = (has & (family == 2 ? 2 : 1)) != 0;
            assert_int_equal(turn_fixture_ask(f, &draft), is_served ? TURN_FIXTURE_SUCCESS : 440);
            if (is_served) {
                struct addr relayed = turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS);
                assert_int_equal(relayed.family, family == 2 ? ADDR_IP6 : ADDR_IP4);
                assert_true(addr_equal(&f->commands[0].socket.relayed, &relayed));
            }
        }
    }
}

static void refuses_a_family_that_is_none(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, 3);
    assert_int_equal(turn_fixture_ask(f, &draft), 440);
    assert_true(turn_fixture_is_empty(f));
}

static void refuses_a_token_with_what_contradicts_it(void **state)
{
    static const uint8_t token[STUN_ATTR_RESERVATION_LEN] = {1};
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN,
                    (struct bytes){token, sizeof token});
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, 0);
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN,
                    (struct bytes){token, sizeof token});
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP4);
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN,
                    (struct bytes){token, sizeof token});
    assert_int_equal(turn_fixture_ask(f, &draft), 508); // it is nobody's
}

static void understands_dont_fragment(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_DONT_FRAGMENT, (struct bytes){0});
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
}

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

// --- Both families -------------------------------------------------------------------------------

static void begin_dual(struct turn_fixture *f, struct turn_fixture_draft *draft)
{
    turn_fixture_begin_allocate(f, draft);
    stun_attr_u8_write(&draft->writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY,
                       STUN_ATTR_FAMILY_IP6);
}

// The XOR-RELAYED-ADDRESSes of the response.
static size_t relayed_of(const struct turn_fixture *f, struct addr out[2])
{
    struct bytes value = {0};
    size_t at = 0;
    size_t count = 0;

    while (stun_message_next(&f->response, STUN_ATTR_XOR_RELAYED_ADDRESS, &at, &value)) {
        assert_true(count < 2);
        assert_true(stun_attr_xor_addr_read(value, &f->response.header.transaction, &out[count]));
        count++;
    }
    return count;
}

static void gives_both_families_one_port(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    struct addr relayed[2];

    begin_dual(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(f->commands[0].type, TURN_COMMAND_OPEN);
    assert_int_equal(f->commands[1].type, TURN_COMMAND_OPEN);
    assert_int_equal(f->commands[2].type, TURN_COMMAND_SEND); // only when both are bound
    assert_int_equal(relayed_of(f, relayed), 2);
    for (int i = 0; i < 2; i++) {
        assert_true(addr_equal(&relayed[i], &f->commands[i].socket.relayed));
        assert_memory_equal(&f->commands[i].socket.allocation, &f->commands[0].socket.allocation,
                            sizeof f->commands[0].socket.allocation);
    }
    assert_int_equal(relayed[0].family, ADDR_IP4);
    assert_int_equal(relayed[1].family, ADDR_IP6);
    assert_int_equal(relayed[0].port, relayed[1].port);
    assert_false(stun_message_has(&f->response, STUN_ATTR_ADDRESS_ERROR_CODE));
    assert_int_equal(turn_fixture_gauges(f).allocations, 1);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 1);
    turn_fixture_wait(f, 600 * SECOND_NS);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_CLOSE), 2);
    assert_true(turn_fixture_is_empty(f));
}

static void expect_address_error(const struct turn_fixture *f, uint8_t family, uint16_t code)
{
    uint8_t refused = 0;
    uint16_t why = 0;
    struct addr relayed[2];

    assert_int_equal(relayed_of(f, relayed), 1);
    assert_int_equal(relayed[0].family, family == STUN_ATTR_FAMILY_IP4 ? ADDR_IP6 : ADDR_IP4);
    assert_true(stun_error_address_read(turn_fixture_value(f, STUN_ATTR_ADDRESS_ERROR_CODE),
                                        &refused, &why));
    assert_int_equal(refused, family);
    assert_int_equal(why, code);
}

static void gives_the_one_family_it_has_and_says_440_of_the_other(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    for (int lacks_ip4 = 0; lacks_ip4 < 2; lacks_ip4++) {
        struct turn_config config = turn_fixture_config();
        *(lacks_ip4 ? &config.public_ip4 : &config.public_ip6) = (struct addr){0};
        turn_fixture_restart(f, &config);
        begin_dual(f, &draft);
        assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_count(f, TURN_COMMAND_OPEN), 1);
        expect_address_error(f, lacks_ip4 ? STUN_ATTR_FAMILY_IP4 : STUN_ATTR_FAMILY_IP6, 440);
    }
}

// Binds as the test says, one answer after the other.
static void answer_opens(struct turn_fixture *f, struct bytes datagram,
                         const enum turn_opened *answers, size_t count)
{
    struct turn_command command;
    struct turn_forward forward;
    size_t opened = 0;

    f->command_count = 0;
    assert_int_equal(turn_server_from_client(f->server, f->now, &f->tuple, datagram, &forward),
                     TURN_COMMANDS);
    while (turn_server_take(f->server, &command)) {
        f->commands[f->command_count++] = command;
        if (command.type == TURN_COMMAND_OPEN) {
            assert_true(opened < count);
            turn_server_opened(f->server, f->now, command.socket.allocation, answers[opened++]);
        } else if (command.type == TURN_COMMAND_SEND) {
            memcpy(f->raw_response, command.send.message.ptr, command.send.message.len);
            assert_int_equal(
                stun_message_read((struct bytes){f->raw_response, command.send.message.len},
                                  &f->response),
                STUN_MESSAGE_OK);
        }
    }
    assert_int_equal(opened, count);
}

static struct bytes dual_request(struct turn_fixture *f, struct turn_fixture_draft *draft)
{
    begin_dual(f, draft);
    turn_fixture_sign(f, draft);
    return turn_fixture_finish(draft);
}

static void says_508_of_the_family_for_which_the_system_has_no_socket(void **state)
{
    static const enum turn_opened answers[] = {TURN_OPENED, TURN_SYSTEM_REFUSED};
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    answer_opens(f, dual_request(f, &draft), answers, COUNT_OF(answers));
    assert_int_equal(f->response.header.class, STUN_SUCCESS);
    expect_address_error(f, STUN_ATTR_FAMILY_IP6, 508);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_CLOSE), 0);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_CLOSE), 1);
    assert_true(turn_fixture_is_empty(f));
}

static void a_port_refused_to_the_second_family_costs_that_port_alone(void **state)
{
    static const enum turn_opened answers[] = {TURN_OPENED, TURN_PORT_REFUSED, TURN_OPENED,
                                               TURN_OPENED};
    static const enum turn_command_type expected[] = {
        TURN_COMMAND_OPEN, TURN_COMMAND_OPEN, TURN_COMMAND_REPORT, TURN_COMMAND_CLOSE,
        TURN_COMMAND_OPEN, TURN_COMMAND_OPEN, TURN_COMMAND_SEND,   TURN_COMMAND_REPORT};
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    struct addr relayed[2];

    answer_opens(f, dual_request(f, &draft), answers, COUNT_OF(answers));
    assert_int_equal(f->command_count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(f->commands[i].type, expected[i]);
    }
    // What was bound first is what is closed.
    assert_true(addr_equal(&f->commands[0].socket.relayed, &f->commands[3].socket.relayed));
    assert_int_equal(relayed_of(f, relayed), 2);
    assert_int_equal(relayed[0].port, relayed[1].port);
    assert_int_not_equal(relayed[0].port, f->commands[0].socket.relayed.port);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 2); // one of them rests
    assert_int_equal(turn_server_stats(f->server)->ports_refused, 1);
}

static void gives_up_when_every_port_is_refused_to_the_second_family(void **state)
{
    enum turn_opened answers[2 * TURN_ALLOCATE_TRIES];
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        answers[i] = i % 2 == 0 ? TURN_OPENED : TURN_PORT_REFUSED;
    }
    answer_opens(f, dual_request(f, &draft), answers, COUNT_OF(answers));
    assert_int_equal(f->response.header.class, STUN_ERROR);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_CLOSE), TURN_ALLOCATE_TRIES);
    assert_int_equal(turn_fixture_gauges(f).allocations, 0);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, TURN_ALLOCATE_TRIES); // they rest
    turn_fixture_wait(f, 60 * SECOND_NS);
    assert_true(turn_fixture_is_empty(f));
}

// RFC 8656 section 7.2: what contradicts ADDITIONAL-ADDRESS-FAMILY.
static void refuses_by_400_what_contradicts_a_second_family(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    struct wr *wr = &draft.writer.wr;
    static const uint8_t token[STUN_ATTR_RESERVATION_LEN];

    for (uint8_t family = STUN_ATTR_FAMILY_IP4; family <= STUN_ATTR_FAMILY_IP6; family++) {
        begin_dual(f, &draft);
        stun_attr_u8_write(wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, family);
        assert_int_equal(turn_fixture_ask(f, &draft), 400);
    }
    begin_dual(f, &draft);
    stun_attr_write(wr, STUN_ATTR_RESERVATION_TOKEN, (struct bytes){token, sizeof token});
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    begin_dual(f, &draft);
    stun_attr_u8_write(wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    for (unsigned family = 0; family < 256; family++) {
        turn_fixture_begin_allocate(f, &draft);
        stun_attr_u8_write(wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, (uint8_t)family);
        if (family != STUN_ATTR_FAMILY_IP6) {
            assert_int_equal(turn_fixture_ask(f, &draft), 400);
        }
    }
    assert_true(turn_fixture_is_empty(f));
    begin_dual(f, &draft); // an even port without a reservation is no contradiction
    stun_attr_u8_write(wr, STUN_ATTR_EVEN_PORT, 0);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS).port % 2, 0);
}

static void answers_a_retransmission_of_both_families_byte_by_byte_alike(void **state)
{
    static const enum turn_opened both[] = {TURN_OPENED, TURN_OPENED};
    static const enum turn_opened one[] = {TURN_OPENED, TURN_SYSTEM_REFUSED};
    struct turn_fixture *f = *state;

    for (int lacks = 0; lacks < 2; lacks++) {
        uint8_t first[TURN_COMMAND_MESSAGE_MAX];
        struct turn_fixture_draft draft;
        f->tuple.client.port++;
        struct bytes whole = dual_request(f, &draft);
        answer_opens(f, whole, lacks ? one : both, 2);
        size_t len = f->response.whole.len;
        memcpy(first, f->raw_response, len);
        turn_fixture_wait(f, 10 * SECOND_NS);
        assert_int_equal(turn_fixture_send(f, whole), TURN_FIXTURE_SUCCESS);
        assert_int_equal(f->response.whole.len, len);
        assert_memory_equal(f->raw_response, first, len);
        assert_int_equal(turn_fixture_count(f, TURN_COMMAND_OPEN), 0);
    }
}

// --- Firezone's clients --------------------------------------------------------------------------

static void firezones_new_allocation_replaces_the_old_one(void **state)
{
    static const enum turn_command_type expected[] = {
        TURN_COMMAND_CLOSE, TURN_COMMAND_CLOSE, TURN_COMMAND_REPORT, TURN_COMMAND_OPEN,
        TURN_COMMAND_OPEN,  TURN_COMMAND_SEND,  TURN_COMMAND_REPORT};
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct turn_tuple old = f->tuple;

    turn_fixture_become_firezone(f);
    begin_dual(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    uint16_t old_port = turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS).port;
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    f->tuple.client = turn_fixture_addr("198.51.100.77", 9999); // its NAT has changed its mind
    begin_dual(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(f->command_count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        assert_int_equal(f->commands[i].type, expected[i]);
    }
    for (int i = 0; i < 2; i++) {
        assert_int_equal(f->commands[i].socket.relayed.port, old_port);
    }
    const struct turn_command_report *report = turn_fixture_report(f, TURN_EVENT_REPLACED);
    assert_memory_equal(&report->tuple, &old, sizeof old);
    assert_int_equal(turn_fixture_gauges(f).allocations, 1);
    assert_int_equal(turn_fixture_gauges(f).channels, 0); // they went along
    assert_int_equal(turn_fixture_refresh(f, 600), TURN_FIXTURE_SUCCESS);
    f->tuple = old;
    assert_int_equal(turn_fixture_refresh(f, 600), 437);
}

static void firezones_other_users_are_left_alone(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_become_firezone(f);
    turn_fixture_allocate(f);
    f->tuple.client.port++;
    turn_fixture_use_firezone(f, "1892160000:othersalt");
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_gauges(f).allocations, 2);
    assert_null(turn_fixture_report(f, TURN_EVENT_REPLACED));
}

static void firezones_second_allocate_from_one_address_gets_437(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_become_firezone(f);
    turn_fixture_allocate(f);
    begin_dual(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), 437); // the client deletes and asks again
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    begin_dual(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
}

static void firezones_takeover_makes_room_for_itself(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    config.max_allocations = 1;
    config.allocations_per_user = 1;
    config.highest_port = config.lowest_port;
    config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    turn_fixture_restart(f, &config);
    turn_fixture_use_firezone(f, "1892160000:n23JJ2wKKtt30oXi");
    for (uint16_t i = 0; i < 5; i++) {
        struct turn_fixture_draft draft;
        f->tuple.client.port = (uint16_t)(5000 + i);
        turn_fixture_begin_allocate(f, &draft);
        assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    }
    assert_int_equal(turn_fixture_gauges(f).allocations, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(tells_both_addresses_and_the_lifetime),
        TURN_FIXTURE_TEST(opens_before_it_answers_and_then_reports),
        TURN_FIXTURE_TEST(refuses_clients_of_tunnels),
        TURN_FIXTURE_TEST(gives_one_port_to_one_client),
        TURN_FIXTURE_TEST(grants_lifetimes_between_floor_and_cap),
        TURN_FIXTURE_TEST(grants_the_default_to_those_who_name_none),
        TURN_FIXTURE_TEST(answers_a_retransmission_byte_by_byte_alike),
        TURN_FIXTURE_TEST(a_retransmission_does_not_prolong),
        TURN_FIXTURE_TEST(refuses_another_allocate_by_437),
        TURN_FIXTURE_TEST(refuses_anothers_transaction_by_437),
        TURN_FIXTURE_TEST(the_5_tuple_includes_the_servers_address),
        TURN_FIXTURE_TEST(wants_udp),
        TURN_FIXTURE_TEST(serves_the_families_it_has_addresses_of),
        TURN_FIXTURE_TEST(refuses_a_family_that_is_none),
        TURN_FIXTURE_TEST(refuses_a_token_with_what_contradicts_it),
        TURN_FIXTURE_TEST(understands_dont_fragment),
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
        TURN_FIXTURE_TEST(gives_both_families_one_port),
        TURN_FIXTURE_TEST(gives_the_one_family_it_has_and_says_440_of_the_other),
        TURN_FIXTURE_TEST(says_508_of_the_family_for_which_the_system_has_no_socket),
        TURN_FIXTURE_TEST(a_port_refused_to_the_second_family_costs_that_port_alone),
        TURN_FIXTURE_TEST(gives_up_when_every_port_is_refused_to_the_second_family),
        TURN_FIXTURE_TEST(refuses_by_400_what_contradicts_a_second_family),
        TURN_FIXTURE_TEST(answers_a_retransmission_of_both_families_byte_by_byte_alike),
        TURN_FIXTURE_TEST(firezones_new_allocation_replaces_the_old_one),
        TURN_FIXTURE_TEST(firezones_other_users_are_left_alone),
        TURN_FIXTURE_TEST(firezones_second_allocate_from_one_address_gets_437),
        TURN_FIXTURE_TEST(firezones_takeover_makes_room_for_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
