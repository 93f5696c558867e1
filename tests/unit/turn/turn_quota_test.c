// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_quota.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

// An Allocate of the client at a port.
static int allocate_at(struct turn_fixture *f, uint16_t port)
{
    struct turn_fixture_draft draft;

    f->tuple.client.port = port;
    turn_fixture_begin_allocate(f, &draft);
    return turn_fixture_ask(f, &draft);
}

// One with EVEN-PORT and its R bit, which reserves the next port.
static int allocate_pair_at(struct turn_fixture *f, uint16_t port)
{
    struct turn_fixture_draft draft;

    f->tuple.client.port = port;
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    return turn_fixture_ask(f, &draft);
}

static void restart(struct turn_fixture *f, uint32_t per_user)
{
    struct turn_config config = turn_fixture_config();

    config.allocations_per_user = per_user;
    turn_fixture_restart(f, &config);
}

static uint32_t enter(struct turn_quota_store *store, uint64_t user, uint32_t allocation)
{
    return turn_quota_enter(store, user, 0, allocation);
}

static void counts_each_users_allocations(void **state)
{
    enum { USERS = 3, EACH = 2 };
    struct turn_fixture *f = *state;
    struct turn_quota_store *store = &f->server->commons->quotas;
    uint32_t made[USERS * EACH];

    for (uint32_t i = 0; i < USERS * EACH; i++) {
        made[i] = enter(store, i % USERS, i);
        assert_int_equal(turn_quota_at(store, made[i])->allocation, i);
    }
    for (uint64_t user = 0; user < USERS; user++) {
        assert_int_equal(turn_quota_count(store, user), EACH);
        uint32_t first = turn_quota_first(store, user);
        assert_true(first == made[user] || first == made[user + USERS]);
    }
    assert_int_equal(turn_quota_count(store, USERS), 0);
    assert_int_equal(turn_quota_first(store, USERS), POOL_NONE);
    turn_quota_leave(store, made[1]);
    assert_int_equal(turn_quota_count(store, 1), 1);
    assert_int_equal(turn_quota_first(store, 1), made[1 + USERS]);
    turn_quota_leave(store, made[1 + USERS]);
    assert_int_equal(turn_quota_count(store, 1), 0);
    assert_int_equal(turn_quota_first(store, 1), POOL_NONE);
    assert_int_equal(turn_quota_count(store, 2), EACH);
    assert_int_equal(store->users.used, USERS - 1); // nothing stays of who holds nothing
    assert_int_equal(store->holdings.used, (USERS - 1) * EACH);
}

static void what_was_replaced_counts_no_more_but_stays_till_it_leaves(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_quota_store *store = &f->server->commons->quotas;
    uint32_t one = turn_quota_enter(store, 7, 3, 5);

    turn_quota_replace(store, one);
    assert_int_equal(turn_quota_count(store, 7), 0);
    assert_int_equal(turn_quota_first(store, 7), POOL_NONE);
    assert_int_equal(store->users.used, 0);
    assert_true(turn_quota_at(store, one)->is_replaced);
    assert_int_equal(turn_quota_at(store, one)->shard, 3);
    assert_int_equal(turn_quota_at(store, one)->allocation, 5);
    turn_quota_leave(store, one);
    assert_int_equal(store->holdings.used, 0);
}

static void every_allocation_may_be_another_users(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_quota_store *store = &f->server->commons->quotas;

    for (uint32_t round = 0; round < 3; round++) {
        uint32_t made[8];
        for (uint32_t i = 0; i < COUNT_OF(made); i++) {
            made[i] = enter(store, 100 + i, i);
            turn_quota_reserve(store, 100 + i % 4);
        }
        assert_int_equal(store->users.used, COUNT_OF(made));
        for (uint32_t i = 0; i < COUNT_OF(made); i++) {
            turn_quota_leave(store, made[i]);
            turn_quota_release(store, 100 + i % 4);
        }
        assert_int_equal(store->users.used, 0);
    }
}

static void refuses_by_486_what_a_user_may_not_hold(void **state)
{
    struct turn_fixture *f = *state;

    restart(f, 2);
    assert_int_equal(allocate_at(f, 1001), TURN_FIXTURE_SUCCESS);
    assert_int_equal(allocate_at(f, 1002), TURN_FIXTURE_SUCCESS);
    assert_int_equal(allocate_at(f, 1003), 486);
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
    const struct turn_command_report *report = turn_fixture_report(f, TURN_EVENT_EXHAUSTED);
    assert_non_null(report);
    assert_int_equal(report->refusal, TURN_REFUSAL_USER_QUOTA);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_USER_QUOTA), 1);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_OPEN), 0);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 2);
}

// Or a user could take all ports, each for 30 s, by allocating and letting go.
static void a_reserved_port_counts_until_it_expires(void **state)
{
    struct turn_fixture *f = *state;

    restart(f, 3);
    assert_int_equal(allocate_pair_at(f, 1001), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 1);
    assert_int_equal(allocate_pair_at(f, 1002), TURN_FIXTURE_SUCCESS);
    assert_int_equal(allocate_at(f, 1003), 486);
    turn_fixture_wait(f, 30 * SECOND_NS);
    assert_int_equal(allocate_pair_at(f, 1003), TURN_FIXTURE_SUCCESS);
    assert_int_equal(f->server->commons->quotas.users.used, 1);
}

static void a_pair_of_ports_needs_room_for_two(void **state)
{
    struct turn_fixture *f = *state;

    restart(f, 2);
    assert_int_equal(allocate_at(f, 1001), TURN_FIXTURE_SUCCESS);
    assert_int_equal(allocate_pair_at(f, 1002), 486);
    assert_int_equal(allocate_at(f, 1002), TURN_FIXTURE_SUCCESS);
}

static void a_token_is_redeemed_at_a_full_quota(void **state)
{
    struct turn_fixture *f = *state;
    uint8_t token[STUN_ATTR_RESERVATION_LEN];
    struct turn_fixture_draft draft;

    restart(f, 2);
    assert_int_equal(allocate_pair_at(f, 1001), TURN_FIXTURE_SUCCESS);
    memcpy(token, turn_fixture_value(f, STUN_ATTR_RESERVATION_TOKEN).ptr, sizeof token);
    f->tuple.client.port = 1002;
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN,
                    (struct bytes){token, sizeof token});
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(allocate_at(f, 1003), 486);
}

static void one_users_quota_is_nobody_elses(void **state)
{
    struct turn_fixture *f = *state;

    restart(f, 1);
    assert_int_equal(allocate_at(f, 1001), TURN_FIXTURE_SUCCESS);
    assert_int_equal(allocate_at(f, 1002), 486);
    f->user = "bob";
    f->password = "hidden";
    assert_int_equal(allocate_at(f, 1002), TURN_FIXTURE_SUCCESS);
    assert_int_equal(allocate_at(f, 1003), 486);
}

static void deletion_and_expiry_give_back(void **state)
{
    struct turn_fixture *f = *state;

    restart(f, 1);
    assert_int_equal(allocate_at(f, 1001), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(allocate_at(f, 1002), TURN_FIXTURE_SUCCESS);
    assert_int_equal(allocate_at(f, 1003), 486);
    turn_fixture_wait(f, 600 * SECOND_NS);
    assert_int_equal(allocate_at(f, 1003), TURN_FIXTURE_SUCCESS);
}

static void an_allocation_that_fails_to_open_is_not_counted(void **state)
{
    struct turn_fixture *f = *state;

    restart(f, 1);
    f->refusals = 1;
    f->refusal = TURN_SYSTEM_REFUSED;
    assert_int_equal(allocate_at(f, 1001), 508);
    assert_int_equal(allocate_at(f, 1001), TURN_FIXTURE_SUCCESS);
}

static void a_retransmission_is_no_second_one(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    restart(f, 1);
    turn_fixture_begin_allocate(f, &draft);
    turn_fixture_sign(f, &draft);
    struct bytes whole = turn_fixture_finish(&draft);
    assert_int_equal(turn_fixture_send(f, whole), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_send(f, whole), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_gauges(f).allocations, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(counts_each_users_allocations),
        TURN_FIXTURE_TEST(what_was_replaced_counts_no_more_but_stays_till_it_leaves),
        TURN_FIXTURE_TEST(every_allocation_may_be_another_users),
        TURN_FIXTURE_TEST(refuses_by_486_what_a_user_may_not_hold),
        TURN_FIXTURE_TEST(a_reserved_port_counts_until_it_expires),
        TURN_FIXTURE_TEST(a_pair_of_ports_needs_room_for_two),
        TURN_FIXTURE_TEST(a_token_is_redeemed_at_a_full_quota),
        TURN_FIXTURE_TEST(one_users_quota_is_nobody_elses),
        TURN_FIXTURE_TEST(deletion_and_expiry_give_back),
        TURN_FIXTURE_TEST(an_allocation_that_fails_to_open_is_not_counted),
        TURN_FIXTURE_TEST(a_retransmission_is_no_second_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
