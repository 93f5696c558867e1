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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
