// SPDX-License-Identifier: Apache-2.0
// Two shards of a relay that is to end: no new allocations, and nobody loses one.
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"

enum { INSUFFICIENT_CAPACITY = 508 };

// The fixture is the first of two shards; the second one is idle.
static void start(struct turn_fixture *f, struct turn_config config)
{
    config.shard_count = 2;
    turn_fixture_restart(f, &config);
    assert_non_null(f->commons);
}

static int ask_for_one(struct turn_fixture *f)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    return turn_fixture_ask(f, &draft);
}

static void refuses_new_allocations_by_508(void **state)
{
    struct turn_fixture *f = *state;

    start(f, turn_fixture_config());
    assert_false(turn_commons_is_draining(f->commons));
    turn_commons_drain(f->commons);
    turn_commons_drain(f->commons);
    assert_true(turn_commons_is_draining(f->commons));
    assert_int_equal(ask_for_one(f), INSUFFICIENT_CAPACITY);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_DRAINING), 1);
    const struct turn_command_report *report = turn_fixture_report(f, TURN_EVENT_EXHAUSTED);
    assert_non_null(report);
    assert_int_equal(report->refusal, TURN_REFUSAL_DRAINING);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_OPEN), 0);
    assert_true(turn_fixture_is_empty(f));
}

static void goes_on_for_those_that_are_there(void **state)
{
    const struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct turn_fixture *f = *state;

    start(f, turn_fixture_config());
    const struct pool_ref allocation = turn_fixture_allocate(f);
    assert_int_equal(turn_commons_allocations(f->commons), 1);
    turn_commons_drain(f->commons);
    assert_int_equal(turn_fixture_refresh(f, 600), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "on"), TURN_FORWARD);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &peer, bytes_of_text("and on")),
                     TURN_FORWARD);
    assert_int_equal(turn_commons_allocations(f->commons), 1);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_commons_allocations(f->commons), 0);
    assert_int_equal(ask_for_one(f), INSUFFICIENT_CAPACITY);
}

static void what_expires_counts_no_more(void **state)
{
    struct turn_fixture *f = *state;

    start(f, turn_fixture_config());
    turn_fixture_allocate(f);
    turn_commons_drain(f->commons);
    turn_fixture_wait(f, 599 * SECOND_NS);
    assert_int_equal(turn_commons_allocations(f->commons), 1);
    turn_fixture_wait(f, 2 * SECOND_NS);
    assert_int_equal(turn_commons_allocations(f->commons), 0);
}

static void refuses_a_reserved_port_too(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    uint8_t token[STUN_ATTR_RESERVATION_LEN];

    start(f, turn_fixture_config());
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_EVEN_PORT, STUN_ATTR_EVEN_PORT_RESERVE);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    struct wr wr = wr_init(token, sizeof token);
    wr_bytes(&wr, turn_fixture_value(f, STUN_ATTR_RESERVATION_TOKEN));
    assert_true(wr_ok(&wr));
    turn_commons_drain(f->commons);
    f->tuple.client.port++;
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_RESERVATION_TOKEN, wr_done(&wr));
    assert_int_equal(turn_fixture_ask(f, &draft), INSUFFICIENT_CAPACITY);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_DRAINING), 1);
}

static void firezones_client_keeps_what_a_new_one_would_replace(void **state)
{
    const struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();

    config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    start(f, config);
    turn_fixture_use_firezone(f, "1892160000:n23JJ2wKKtt30oXi");
    f->realm = "firezone";
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    const struct turn_tuple old = f->tuple;
    turn_commons_drain(f->commons);
    f->tuple.client.port++;
    assert_int_equal(ask_for_one(f), INSUFFICIENT_CAPACITY);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_CLOSE), 0);
    f->tuple = old;
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "on"), TURN_FORWARD);
    assert_int_equal(turn_commons_allocations(f->commons), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(refuses_new_allocations_by_508),
        TURN_FIXTURE_TEST(goes_on_for_those_that_are_there),
        TURN_FIXTURE_TEST(what_expires_counts_no_more),
        TURN_FIXTURE_TEST(refuses_a_reserved_port_too),
        TURN_FIXTURE_TEST(firezones_client_keeps_what_a_new_one_would_replace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
