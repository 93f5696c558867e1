// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_tunnel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "revtun/revtun_fixture.h"
#include "revtun/revtun_relay_priv.h"

#define SERVER "192.0.2.1"
#define USER "198.51.100.7"

// However many there are: they are told one by one, and no list has to hold them.
static void tells_any_number_of_sessions_that_they_end(void **state)
{
    enum { SESSIONS = 10000 };
    struct revtun_fixture *f = *state;
    struct revtun_command command;
    uint32_t told = 0;

    struct pool_ref control = revtun_fixture_up(f, 1, SERVER);
    for (uint64_t i = 0; i < SESSIONS; i++) {
        revtun_fixture_client(f, 0, 10 + i, USER);
        revtun_fixture_reverse(f, 0, 100000 + i, SERVER);
    }
    EXPECT_GAUGES(f, .controls = 1, .pairs_free = 2, .sessions = SESSIONS);
    revtun_relay_control_down(f->relay, f->now, control);
    while (revtun_relay_take(f->relay, &command)) {
        told += command.type == REVTUN_COMMAND_END;
    }
    assert_int_equal(told, SESSIONS);
    EXPECT_GAUGES(f, .pairs_free = 3, .sessions = SESSIONS);
    assert_int_equal(f->relay->tunnels.used, 0);
    for (uint32_t i = 0; i < SESSIONS; i++) {
        revtun_fixture_gone(f, pool_ref(&f->relay->clients, i));
    }
    EXPECT_GAUGES(f, .pairs_free = 3);
}

static void is_gone_with_its_last_news(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_command command;

    struct pool_ref control = revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_client(f, 0, 10, USER);
    revtun_relay_control_down(f->relay, f->now, control);
    assert_false(revtun_tunnel_is_swept(f->relay));
    assert_true(revtun_relay_take(f->relay, &command));
    assert_int_equal(command.type, REVTUN_COMMAND_REPORT);
    assert_true(revtun_relay_take(f->relay, &command));
    assert_int_equal(command.type, REVTUN_COMMAND_REFUSE);
    assert_int_equal(command.refuse.text.len, 0);
    assert_false(revtun_relay_take(f->relay, &command));
    assert_true(revtun_tunnel_is_swept(f->relay));
    assert_int_equal(f->relay->tunnels.used, 0);
    assert_int_equal(f->relay->sources.pool.used, 0);
    assert_int_equal(f->relay->timers.count, 0);
}

// Servers come and go more often than there are places for them.
static void leaves_nothing_behind(void **state)
{
    struct revtun_fixture *f = *state;

    for (uint64_t i = 0; i < 100; i++) {
        struct pool_ref control = revtun_fixture_up(f, 1, SERVER);
        const uint32_t pair = revtun_fixture_report(f)->pair;
        assert_int_equal(pair, i % 3);
        revtun_fixture_client(f, pair, 10, USER);
        revtun_fixture_reverse(f, pair, 20, SERVER);
        const struct pool_ref session = f->joined;
        revtun_fixture_client(f, pair, 11, USER);
        if (i % 2 == 0) {
            revtun_fixture_gone(f, session);
        }
        revtun_fixture_down(f, control);
        if (i % 2 == 1) {
            revtun_fixture_gone(f, session);
        }
        EXPECT_GAUGES(f, .pairs_free = 3);
    }
    assert_int_equal(f->relay->tunnels.used, 0);
    assert_int_equal(f->relay->controls.used, 0);
    assert_int_equal(f->relay->sources.pool.used, 0);
}

// The first thing that is due counts: the repeated announcement, or the time-out.
static void has_one_timer_for_both(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    config.pending_timeout_ns = 7 * SECOND_NS;
    revtun_fixture_restart(f, &config);
    revtun_fixture_up(f, 1, SERVER);
    assert_int_equal(revtun_relay_deadline(f->relay), NEVER);
    struct pool_ref client = revtun_fixture_client(f, 0, 10, USER);
    assert_int_equal(revtun_relay_deadline(f->relay), f->now.mono_ns + 5 * SECOND_NS);
    revtun_fixture_pass(f, SECOND_NS);
    revtun_fixture_client(f, 0, 11, USER);
    revtun_fixture_pass(f, 4 * SECOND_NS);
    EXPECT(f, "send 1 new_connection\r\n", "report again 1 pair 0 count 1 waiting 2");
    assert_int_equal(revtun_relay_deadline(f->relay), f->now.mono_ns + 2 * SECOND_NS);
    revtun_fixture_gone(f, client); // the next one's time-out is what is due now
    assert_int_equal(revtun_relay_deadline(f->relay), f->now.mono_ns + 3 * SECOND_NS);
    revtun_fixture_pass(f, 3 * SECOND_NS);
    EXPECT(f, "refuse 11 ", "report timed out 1 pair 0");
    assert_int_equal(revtun_relay_deadline(f->relay), NEVER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REVTUN_FIXTURE_TEST(tells_any_number_of_sessions_that_they_end),
        REVTUN_FIXTURE_TEST(is_gone_with_its_last_news),
        REVTUN_FIXTURE_TEST(leaves_nothing_behind),
        REVTUN_FIXTURE_TEST(has_one_timer_for_both),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
