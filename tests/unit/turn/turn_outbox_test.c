// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_outbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_out_in_the_order_of_adding),
        cmocka_unit_test(has_room_while_one_more_expiry_fits),
        cmocka_unit_test(keeps_each_message_until_the_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
