// SPDX-License-Identifier: Apache-2.0
// Allocations of both families, and what Firezone's clients, which want both, find.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "stun/stun_error.h"
#include "turn/turn_allocate.h"
#include "turn/turn_fixture.h"

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
    assert_int_equal(turn_server_stats(f->server)->allocations_replaced, 1);
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
