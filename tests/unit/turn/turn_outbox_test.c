// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

static struct turn_command numbered(uint32_t number)
{
    return (struct turn_command){.type = TURN_COMMAND_CLOSE, .socket.allocation.index = number};
}

static struct turn_outbox *outbox_new(void)
{
    struct turn_outbox *outbox = calloc(1, sizeof *outbox);

    assert_non_null(outbox);
    return outbox;
}

static void hands_out_in_the_order_of_adding(void **state)
{
    struct turn_outbox *outbox = outbox_new();
    struct turn_command command = numbered(77);

    (void)state;
    assert_true(turn_outbox_is_empty(outbox));
    assert_false(turn_outbox_take(outbox, &command));
    assert_int_equal(command.socket.allocation.index, 77); // untouched
    for (uint32_t i = 0; i < TURN_OUTBOX_MAX; i++) {
        command = numbered(i);
        turn_outbox_add(outbox, &command);
        assert_false(turn_outbox_is_empty(outbox));
    }
    for (uint32_t i = 0; i < TURN_OUTBOX_MAX; i++) {
        assert_true(turn_outbox_take(outbox, &command));
        assert_int_equal(command.socket.allocation.index, i);
    }
    assert_true(turn_outbox_is_empty(outbox));
    assert_false(turn_outbox_take(outbox, &command));
    free(outbox);
}

static void has_room_while_one_more_expiry_fits(void **state)
{
    struct turn_outbox *outbox = outbox_new();
    struct turn_command command = numbered(0);

    (void)state;
    for (uint32_t i = 0; i < TURN_OUTBOX_MAX; i++) {
        assert_int_equal(turn_outbox_has_room(outbox), i <= TURN_OUTBOX_MAX - TURN_OUTBOX_PER_CALL);
        turn_outbox_add(outbox, &command);
    }
    assert_false(turn_outbox_has_room(outbox));
    // What was taken makes no room: its message may still be read.
    assert_true(turn_outbox_take(outbox, &command));
    assert_false(turn_outbox_has_room(outbox));
    while (turn_outbox_take(outbox, &command)) {
    }
    turn_outbox_reset(outbox);
    assert_true(turn_outbox_has_room(outbox));
    free(outbox);
}

static void keeps_each_message_until_the_reset(void **state)
{
    struct turn_outbox *outbox = outbox_new();
    struct turn_command command;

    (void)state;
    for (uint32_t i = 0; i < TURN_OUTBOX_MAX; i++) {
        uint8_t *room = turn_outbox_message(outbox);
        memset(room, (int)i, TURN_COMMAND_MESSAGE_MAX);
        command = (struct turn_command){
            .type = TURN_COMMAND_SEND,
            .send.message = {room, TURN_COMMAND_MESSAGE_MAX},
        };
        turn_outbox_add(outbox, &command);
    }
    for (uint32_t i = 0; i < TURN_OUTBOX_MAX; i++) {
        assert_true(turn_outbox_take(outbox, &command));
        for (size_t at = 0; at < TURN_COMMAND_MESSAGE_MAX; at++) {
            assert_int_equal(command.send.message.ptr[at], i);
        }
    }
    free(outbox);
}

// --- The worst cases -----------------------------------------------------------------------------

// Takes all commands of one call, answers OPEN, and says how many the longest call added.
static uint32_t longest_call(struct turn_fixture *f, enum turn_opened first,
                             enum turn_opened others)
{
    struct turn_command command;
    uint32_t longest = f->server->outbox.count;
    enum turn_opened answer = first;

    while (turn_server_take(f->server, &command)) {
        if (command.type == TURN_COMMAND_OPEN) {
            turn_server_opened(f->server, f->now, command.socket.allocation, answer);
            answer = answer == others && others == TURN_OPENED ? first : others;
            longest = f->server->outbox.count > longest ? f->server->outbox.count : longest;
        }
    }
    return longest;
}

static uint32_t ask_for_both(struct turn_fixture *f, enum turn_opened first,
                             enum turn_opened others)
{
    struct turn_fixture_draft draft;
    struct turn_forward forward;

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    turn_fixture_sign(f, &draft);
    assert_int_equal(turn_server_from_client(f->server, f->now, &f->tuple,
                                             turn_fixture_finish(&draft), &forward),
                     TURN_COMMANDS);
    return longest_call(f, first, others);
}

// Five: two sockets and a report of the old allocation, a report and a response for the new one.
static void a_takeover_that_fails_is_the_longest_call(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    config.highest_port = config.lowest_port;
    config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    turn_fixture_restart(f, &config);
    turn_fixture_use_firezone(f, "1892160000:n23JJ2wKKtt30oXi");
    assert_int_equal(ask_for_both(f, TURN_OPENED, TURN_OPENED), 2);
    // The old one gives its port back at once, so that it takes a user without a wish to spare it.
    f->server->config.allocations_per_user = 0;
    f->tuple.client.port++;
    assert_int_equal(ask_for_both(f, TURN_OPENED, TURN_OPENED), TURN_OUTBOX_PER_CALL);
    assert_int_equal(turn_fixture_gauges(f).allocations, 0);
}

static void no_answer_of_the_system_makes_a_call_longer(void **state)
{
    static const enum turn_opened answers[] = {TURN_OPENED, TURN_PORT_REFUSED, TURN_SYSTEM_REFUSED};
    struct turn_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(answers) * COUNT_OF(answers); i++) {
        struct turn_config config = turn_fixture_config();
        turn_fixture_restart(f, &config);
        assert_in_range(ask_for_both(f, answers[i % 3], answers[i / 3]), 1, TURN_OUTBOX_PER_CALL);
    }
}

static void everything_that_is_due_at_once_comes_in_rounds_that_fit(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_command command;
    uint32_t closed = 0;

    for (uint16_t i = 0; i < 8; i++) {
        f->tuple.client.port = (uint16_t)(7000 + i);
        assert_in_range(ask_for_both(f, TURN_OPENED, TURN_OPENED), 1, TURN_OUTBOX_PER_CALL);
    }
    f->now.mono_ns += 10000 * SECOND_NS;
    while (turn_server_deadline(f->server) <= f->now.mono_ns) {
        turn_server_tick(f->server, f->now);
        assert_in_range(f->server->outbox.count, 1, TURN_OUTBOX_MAX);
        while (turn_server_take(f->server, &command)) {
            closed += command.type == TURN_COMMAND_CLOSE;
        }
    }
    assert_int_equal(closed, 16);
    assert_true(turn_fixture_is_empty(f));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_in_the_order_of_adding),
        cmocka_unit_test(has_room_while_one_more_expiry_fits),
        cmocka_unit_test(keeps_each_message_until_the_reset),
        TURN_FIXTURE_TEST(a_takeover_that_fails_is_the_longest_call),
        TURN_FIXTURE_TEST(no_answer_of_the_system_makes_a_call_longer),
        TURN_FIXTURE_TEST(everything_that_is_due_at_once_comes_in_rounds_that_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
