// SPDX-License-Identifier: Apache-2.0
// Where a user has one allocation at a time: a new one replaces the old, in whichever shard it is.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "shards.h"

static void a_new_allocation_replaces_the_old_one_of_the_other(void **state)
{
    struct shards *shards = *state;
    struct turn_fixture *one = shards->at[0];
    struct turn_fixture *other = shards->at[1];
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    shards_become_firezone(shards, true);
    struct pool_ref old = turn_fixture_allocate(one);
    assert_int_equal(turn_fixture_bind(one, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    turn_fixture_allocate(other);
    assert_int_equal(turn_fixture_count(other, TURN_COMMAND_WAKE), 1);
    assert_int_equal(shards_command_of(other, TURN_COMMAND_WAKE)->wake.shard, 0);
    assert_int_equal(shards_in_all(shards).allocations, 1);
    assert_true(turn_server_deadline(one->server) == 0);
    assert_true(turn_server_deadline(other->server) > other->now.mono_ns);
    turn_fixture_wait(one, 0);
    assert_int_equal(one->commands[0].type, TURN_COMMAND_UNBIND); // before all else
    assert_int_equal(turn_fixture_count(one, TURN_COMMAND_CLOSE), 1);
    assert_non_null(turn_fixture_report(one, TURN_EVENT_REPLACED));
    assert_true(turn_server_deadline(one->server) == NEVER);
    assert_int_equal(turn_fixture_refresh(one, 600), 437);
    assert_int_equal(turn_fixture_from_peer(one, old, &peer, bytes_of_text("x")), TURN_DROP);
    assert_int_equal(turn_fixture_refresh(other, 0), TURN_FIXTURE_SUCCESS);
    assert_true(turn_fixture_is_empty(one));
    assert_int_equal(shards_in_all(shards).users, 0);
}

// Back and forth, faster than the other looks.
static void each_replaces_the_others_again_and_again(void **state)
{
    struct shards *shards = *state;

    shards_become_firezone(shards, false);
    for (uint16_t i = 0; i < 40; i++) {
        struct turn_fixture *f = shards->at[i % SHARDS];
        turn_fixture_wait(f, 0); // as turn_server.h asks before a call
        f->tuple.client.port = (uint16_t)(5001 + i);
        turn_fixture_allocate(f);
        assert_int_equal(shards_in_all(shards).allocations, 1);
    }
    for (uint32_t i = 0; i < SHARDS; i++) {
        turn_fixture_wait(shards->at[i], 0);
    }
    assert_int_equal(shards_in_all(shards).ports_in_use, 1);
    assert_int_equal(turn_fixture_gauges(shards->at[0]).allocations, 0);
    assert_int_equal(turn_fixture_gauges(shards->at[1]).allocations, 1);
}

static void what_was_replaced_may_end_by_itself_before(void **state)
{
    struct shards *shards = *state;
    struct turn_fixture *one = shards->at[0];

    shards_become_firezone(shards, false);
    turn_fixture_allocate(one);
    turn_fixture_allocate(shards->at[1]);
    assert_int_equal(turn_fixture_refresh(one, 0), TURN_FIXTURE_SUCCESS);
    assert_non_null(turn_fixture_report(one, TURN_EVENT_DELETED));
    assert_true(turn_server_deadline(one->server) == NEVER);
    assert_int_equal(shards_in_all(shards).allocations, 1);
    assert_int_equal(shards_in_all(shards).ports_in_use, 1);
}

// Of a user whose allocations are both in the first shard: the other one is told to have one while
// the sockets of the first are carried out.
struct intruder {
    struct turn_fixture *f;
    uint16_t closing; // the port that the first shard closes now
    unsigned asked;
    unsigned granted;
};

static void intrude(void *context, const struct turn_command *command)
{
    struct intruder *intruder = context;
    struct turn_fixture_draft draft;

    if (command->type != TURN_COMMAND_CLOSE || intruder->asked > 0) {
        return;
    }
    intruder->closing = command->socket.relayed.port;
    intruder->asked++;
    turn_fixture_begin_allocate(intruder->f, &draft);
    if (turn_fixture_ask(intruder->f, &draft) == TURN_FIXTURE_SUCCESS) {
        intruder->granted++;
        assert_int_not_equal(shards_relayed_of(intruder->f).port, intruder->closing);
    }
}

// Nobody else has the port of what was replaced before its socket is closed, and its user has it
// when no other is left.
static void what_was_replaced_keeps_its_port_until_its_socket_is_closed(void **state)
{
    struct shards *shards = *state;
    struct turn_fixture *one = shards->at[0];

    for (uint16_t port_count = 1; port_count <= 2; port_count++) {
        struct turn_config config = turn_fixture_config();
        struct intruder intruder = {.f = shards->at[1]};
        struct turn_fixture_draft draft;

        config.stamp_secret = bytes_of_text(turn_fixture_stamp);
        config.highest_port = (uint16_t)(config.lowest_port + port_count - 1);
        shards_start(shards, config);
        turn_fixture_use_firezone(one, "1892160000:n23JJ2wKKtt30oXi");
        one->realm = "firezone";
        turn_fixture_allocate(one);
        const uint16_t old = shards_relayed_of(one).port;
        one->tuple.client.port++;
        one->on_socket = intrude;
        one->on_socket_context = &intruder;
        turn_fixture_begin_allocate(one, &draft);
        assert_int_equal(turn_fixture_ask(one, &draft), TURN_FIXTURE_SUCCESS);
        one->on_socket = NULL;
        assert_int_equal(intruder.asked, 1);
        assert_int_equal(intruder.granted, 0); // the other port is the new one's
        assert_int_equal(shards_relayed_of(one).port == old, port_count == 1);
        assert_int_equal(shards_in_all(shards).ports_in_use, 1);
        turn_fixture_begin_allocate(intruder.f, &draft);
        assert_int_equal(turn_fixture_ask(intruder.f, &draft),
                         port_count == 1 ? 508 : TURN_FIXTURE_SUCCESS);
    }
}

// Asks for an allocation and stops at the order to open its socket. The request, which the draft
// has, is read once more when that is answered.
static struct pool_ref begin_opening(struct turn_fixture *f, struct turn_fixture_draft *draft)
{
    struct turn_command command = {0};
    struct turn_forward forward;

    turn_fixture_begin_allocate(f, draft);
    turn_fixture_sign(f, draft);
    struct bytes datagram = turn_fixture_finish(draft);
    assert_int_equal(turn_server_from_client(f->server, f->now, &f->tuple, datagram, &forward),
                     TURN_COMMANDS);
    while (command.type != TURN_COMMAND_OPEN) {
        assert_true(turn_server_take(f->server, &command));
    }
    return command.socket.allocation;
}

// Its client is told that it has it; it had it, for a moment.
static void is_replaced_while_its_socket_is_being_opened(void **state)
{
    static const enum turn_opened answers[] = {TURN_OPENED, TURN_SYSTEM_REFUSED};
    struct shards *shards = *state;
    struct turn_fixture *one = shards->at[0];

    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        struct turn_fixture_draft draft;
        shards_become_firezone(shards, false);
        struct pool_ref allocation = begin_opening(one, &draft);
        turn_fixture_allocate(shards->at[1]);
        assert_int_equal(turn_fixture_count(shards->at[1], TURN_COMMAND_WAKE), 1);
        turn_server_opened(one->server, one->now, allocation, answers[i]);
        assert_int_equal(shards_take_all(one, TURN_COMMAND_SEND), 1);
        turn_fixture_wait(one, 0);
        assert_int_equal(turn_fixture_count(one, TURN_COMMAND_CLOSE), answers[i] == TURN_OPENED);
        assert_true(turn_server_deadline(one->server) == NEVER);
        assert_int_equal(shards_in_all(shards).allocations, 1);
        assert_int_equal(shards_in_all(shards).ports_in_use, 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHARDS_TEST(a_new_allocation_replaces_the_old_one_of_the_other),
        SHARDS_TEST(each_replaces_the_others_again_and_again),
        SHARDS_TEST(what_was_replaced_may_end_by_itself_before),
        SHARDS_TEST(what_was_replaced_keeps_its_port_until_its_socket_is_closed),
        SHARDS_TEST(is_replaced_while_its_socket_is_being_opened),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
