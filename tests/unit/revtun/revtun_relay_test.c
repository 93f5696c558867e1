// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_relay.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "revtun/revtun_fixture.h"

#define GREETING(public, reverse)                                                                  \
    "public_listener 127.0.0.1:" public "\r\nreverse_listener 127.0.0.1:" reverse "\r\n"
#define NEW "new_connection\r\n"
#define SERVER "192.0.2.1"
#define OTHER "192.0.2.2"
#define USER "198.51.100.7"

static void greets_with_both_ports_in_one_piece(void **state)
{
    struct revtun_fixture *f = *state;

    revtun_fixture_up(f, 1, SERVER);
    EXPECT(f, "send 1 " GREETING("5004", "5001"), "report linked 1 pair 0");
    revtun_fixture_up(f, 2, SERVER);
    EXPECT(f, "send 2 " GREETING("5005", "5002"), "report linked 2 pair 1");
    revtun_fixture_up(f, 3, OTHER);
    EXPECT(f, "send 3 " GREETING("5006", "5003"), "report linked 3 pair 2");
    EXPECT_GAUGES(f, .controls = 3);
}

static void has_the_originals_ports_by_default(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_config_default();

    config.host = bytes_of_text("relay.example");
    revtun_fixture_restart(f, &config);
    revtun_fixture_up(f, 1, SERVER);
    EXPECT(f,
           "send 1 public_listener relay.example:12101\r\n"
           "reverse_listener relay.example:12001\r\n",
           "report linked 1 pair 0");
}

// An IPv6 address stays bare: servers cut at the last colon.
static void tells_the_host_as_it_is(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    config.host = bytes_of_text("2001:db8::1");
    revtun_fixture_restart(f, &config);
    revtun_fixture_up(f, 1, SERVER);
    EXPECT(f,
           "send 1 public_listener 2001:db8::1:5004\r\n"
           "reverse_listener 2001:db8::1:5001\r\n",
           "report linked 1 pair 0");
}

static void keeps_its_own_copy_of_the_host(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();
    char host[] = "example.org";

    config.host = bytes_of_text(host);
    revtun_fixture_restart(f, &config);
    memset(host, 'x', sizeof host - 1);
    revtun_fixture_up(f, 1, SERVER);
    EXPECT(f,
           "send 1 public_listener example.org:5004\r\n"
           "reverse_listener example.org:5001\r\n",
           "report linked 1 pair 0");
}

static void turns_away_whom_it_has_no_pair_for(void **state)
{
    struct revtun_fixture *f = *state;

    for (uint64_t conn = 1; conn <= 3; conn++) {
        revtun_fixture_up(f, conn, SERVER);
    }
    struct pool_ref control = revtun_fixture_up(f, 4, SERVER);
    EXPECT(f, "send 4 no_available_listeners\r\n", "close 4", "report full 4");
    assert_int_equal(control.index, POOL_NONE);
    revtun_fixture_read(f, control, "x\r\n"); // what it says while it is closed is no error
    EXPECT_NOTHING(f);
    revtun_fixture_down(f, control);
    EXPECT_NOTHING(f);
    EXPECT_GAUGES(f, .controls = 3);
}

static void turns_all_away_without_pairs(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    config.pair_count = 0;
    revtun_fixture_restart(f, &config);
    revtun_fixture_up(f, 1, SERVER);
    EXPECT(f, "send 1 no_available_listeners\r\n", "close 1", "report full 1");
    assert_int_equal(revtun_relay_stats(f->relay)->controls_full, 1);
}

static void announces_each_client_and_joins_the_oldest_first(void **state)
{
    struct revtun_fixture *f = *state;

    revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_client(f, 0, 10, USER);
    EXPECT(f, "send 1 " NEW);
    revtun_fixture_client(f, 0, 11, OTHER);
    EXPECT(f, "send 1 " NEW);
    EXPECT_GAUGES(f, .controls = 1, .pairs_free = 2, .waiting = 2);
    revtun_fixture_pass(f, SECOND_NS);
    revtun_fixture_reverse(f, 0, 20, SERVER);
    EXPECT(f, "join 10 20");
    const struct revtun_command_join *join = &f->commands[0].join;
    const struct addr from = revtun_fixture_addr(USER);
    assert_int_equal(join->pair, 0);
    assert_int_equal(join->waited_ns, SECOND_NS);
    assert_true(addr_equal(&join->from, &from));
    revtun_fixture_reverse(f, 0, 21, SERVER);
    EXPECT(f, "join 11 21");
    EXPECT_GAUGES(f, .controls = 1, .pairs_free = 2, .sessions = 2);
    assert_int_equal(revtun_relay_deadline(f->relay), NEVER);
}

static void closes_a_reverse_connection_that_nobody_waits_for(void **state)
{
    struct revtun_fixture *f = *state;

    revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_reverse(f, 0, 20, SERVER);
    EXPECT(f, "refuse 20 ");
    revtun_fixture_client(f, 0, 10, USER);
    EXPECT(f, "send 1 " NEW); // what came too early does not count
    revtun_fixture_reverse(f, 0, 21, SERVER);
    EXPECT(f, "join 10 21");
    revtun_fixture_reverse(f, 0, 22, SERVER);
    EXPECT(f, "refuse 22 ");
}

static void says_on_both_ports_that_nobody_has_the_pair(void **state)
{
    struct revtun_fixture *f = *state;

    struct pool_ref client = revtun_fixture_client(f, 0, 10, USER);
    EXPECT(f, "refuse 10 no controller linked");
    assert_int_equal(f->commands[0].refuse.text.len, 20);
    assert_int_equal(client.index, POOL_NONE);
    revtun_fixture_reverse(f, 2, 20, USER);
    EXPECT(f, "refuse 20 no controller linked");
    struct pool_ref control = revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_client(f, 1, 11, USER); // another pair is still nobody's
    EXPECT(f, "refuse 11 no controller linked");
    revtun_fixture_down(f, control);
    revtun_fixture_client(f, 0, 12, USER);
    EXPECT(f, "refuse 12 no controller linked");
    assert_int_equal(revtun_relay_stats(f->relay)->clients_unlinked, 3);
    assert_int_equal(revtun_relay_stats(f->relay)->reverses_unlinked, 1);
}

// Those that wait are closed without a word, sessions end, and the pair is there for the next.
static void a_lost_control_connection_takes_all_with_it(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    config.pair_count = 1;
    revtun_fixture_restart(f, &config);
    struct pool_ref control = revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_client(f, 0, 10, USER);
    revtun_fixture_reverse(f, 0, 20, SERVER);
    const struct pool_ref session = f->joined;
    revtun_fixture_client(f, 0, 11, USER);
    revtun_fixture_client(f, 0, 12, USER);
    revtun_fixture_down(f, control);
    EXPECT(f, "report lost 1 pair 0 waiting 2 sessions 1", "refuse 11 ", "refuse 12 ", "end 10");
    assert_memory_equal(&f->commands[3].end.session, &session, sizeof session);
    EXPECT_GAUGES(f, .pairs_free = 1, .sessions = 1);
    assert_int_equal(revtun_relay_deadline(f->relay), NEVER);

    revtun_fixture_up(f, 2, OTHER); // at once
    EXPECT(f, "send 2 public_listener 127.0.0.1:5002\r\nreverse_listener 127.0.0.1:5001\r\n",
           "report linked 2 pair 0");
    revtun_fixture_gone(f, session);
    EXPECT_NOTHING(f);
    EXPECT_GAUGES(f, .controls = 1);
    assert_int_equal(revtun_relay_stats(f->relay)->clients_cut, 2);
    assert_int_equal(revtun_relay_stats(f->relay)->sessions_cut, 1);
    assert_int_equal(revtun_relay_stats(f->relay)->sessions_ended, 1);
}

static void news_of_what_is_over_is_no_error(void **state)
{
    struct revtun_fixture *f = *state;
    struct pool_ref control = revtun_fixture_up(f, 1, SERVER);

    revtun_fixture_client(f, 0, 10, USER);
    revtun_fixture_reverse(f, 0, 20, SERVER);
    const struct pool_ref session = f->joined;
    revtun_fixture_gone(f, session);
    revtun_fixture_gone(f, session);
    EXPECT_NOTHING(f);
    revtun_fixture_down(f, control);
    EXPECT(f, "report lost 1 pair 0");
    revtun_fixture_down(f, control);
    EXPECT_NOTHING(f);
    struct pool_ref next = revtun_fixture_up(f, 2, SERVER);
    assert_int_equal(next.index, control.index); // the same place, another life
    revtun_fixture_read(f, control, "\r\n");
    EXPECT_NOTHING(f);
    revtun_fixture_down(f, control);
    EXPECT_NOTHING(f);
    revtun_fixture_client(f, 1, 11, USER);
    revtun_fixture_gone(f, session);
    EXPECT_GAUGES(f, .controls = 1, .pairs_free = 2, .waiting = 1);
    assert_int_equal(revtun_relay_stats(f->relay)->sessions_ended, 1);
}

static void a_line_of_the_server_ends_its_connection(void **state)
{
    struct revtun_fixture *f = *state;
    struct pool_ref control = revtun_fixture_up(f, 1, SERVER);

    revtun_fixture_client(f, 0, 10, USER);
    revtun_fixture_read(f, control, "hello");
    EXPECT_NOTHING(f);
    revtun_fixture_read(f, control, "\r");
    EXPECT_NOTHING(f);
    revtun_fixture_read(f, control, "\n");
    EXPECT(f, "close 1", "report spoke 1 pair 0 waiting 1", "refuse 10 ");
    EXPECT_GAUGES(f, .pairs_free = 3); // while TLS is still being closed
    revtun_fixture_down(f, control);
    EXPECT_NOTHING(f);
    assert_int_equal(revtun_relay_stats(f->relay)->controls_spoke, 1);
    assert_int_equal(revtun_relay_stats(f->relay)->controls_lost, 0);
}

static void a_line_without_an_end_does_too(void **state)
{
    struct revtun_fixture *f = *state;
    struct pool_ref control = revtun_fixture_up(f, 1, SERVER);
    char text[1025] = {0};

    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 16; i++) {
        revtun_fixture_read(f, control, text);
        EXPECT_NOTHING(f);
    }
    revtun_fixture_read(f, control, "x");
    EXPECT(f, "close 1", "report spoke 1 pair 0");
}

static void pairs_come_back_in_the_order_of_their_release(void **state)
{
    struct revtun_fixture *f = *state;
    struct pool_ref a = revtun_fixture_up(f, 1, SERVER);
    struct pool_ref b = revtun_fixture_up(f, 2, SERVER);

    revtun_fixture_down(f, b);
    revtun_fixture_down(f, a);
    revtun_fixture_up(f, 3, SERVER);
    assert_int_equal(revtun_fixture_report(f)->pair, 2); // nobody has had it yet
    revtun_fixture_up(f, 4, SERVER);
    assert_int_equal(revtun_fixture_report(f)->pair, 1);
    revtun_fixture_up(f, 5, SERVER);
    assert_int_equal(revtun_fixture_report(f)->pair, 0);
}

static void resets_what_comes_from_elsewhere(void **state)
{
    struct revtun_fixture *f = *state;

    revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_client(f, 0, 10, USER);
    revtun_fixture_reverse(f, 0, 20, OTHER);
    EXPECT(f, "reset 20", "report foreign 1 pair 0");
    const struct addr from = revtun_fixture_addr(OTHER);
    const struct addr peer = revtun_fixture_addr(SERVER);
    assert_true(addr_equal(&revtun_fixture_report(f)->from, &from));
    assert_true(addr_equal(&revtun_fixture_report(f)->peer, &peer));
    revtun_fixture_reverse(f, 0, 21, "::ffff:192.0.2.2");
    EXPECT(f, "reset 21", "report foreign 1 pair 0");
    revtun_fixture_reverse(f, 0, 22, SERVER); // the client still waits
    EXPECT(f, "join 10 22");
    assert_int_equal(revtun_relay_stats(f->relay)->reverses_foreign, 2);
}

static void knows_an_address_in_its_other_forms(void **state)
{
    static const struct {
        const char *control;
        const char *reverse;
        bool is_same;
    } cases[] = {
        {"192.0.2.1", "::ffff:192.0.2.1", true},
        {"::ffff:192.0.2.1", "192.0.2.1", true},
        {"2001:db8::1", "2001:db8::1", true},
        {"2001:db8::1", "2001:db8::abcd:1", true}, // a host has many in its /64, and changes them
        {"2001:db8::1", "2001:db8:0:1::1", false},
        {"2001:db8::1", "2001:db8:0:1:8000::1", false},
    };
    struct revtun_fixture *f = *state;
    const struct revtun_config config = revtun_fixture_config();

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        revtun_fixture_restart(f, &config);
        revtun_fixture_up(f, 1, cases[i].control);
        revtun_fixture_client(f, 0, 10, USER);
        revtun_fixture_reverse(f, 0, 20, cases[i].reverse);
        if (cases[i].is_same) {
            EXPECT(f, "join 10 20");
        } else {
            EXPECT(f, "reset 20", "report foreign 1 pair 0");
        }
    }
}

static void lets_in_what_it_cannot_compare_and_tells_it_once(void **state)
{
    struct revtun_fixture *f = *state;

    revtun_fixture_up(f, 1, "2001:db8::1");
    revtun_fixture_client(f, 0, 10, USER);
    revtun_fixture_client(f, 0, 11, USER);
    revtun_fixture_reverse(f, 0, 20, SERVER);
    EXPECT(f, "report other family 1 pair 0", "join 10 20");
    revtun_fixture_reverse(f, 0, 21, SERVER);
    EXPECT(f, "join 11 21");
    assert_int_equal(revtun_relay_stats(f->relay)->reverses_other_family, 2);
}

static void lets_all_in_if_it_is_told_to(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    config.reverse_policy = REVTUN_CONFIG_ANY;
    revtun_fixture_restart(f, &config);
    revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_client(f, 0, 10, USER);
    revtun_fixture_client(f, 0, 11, USER);
    revtun_fixture_reverse(f, 0, 20, OTHER);
    EXPECT(f, "join 10 20");
    revtun_fixture_reverse(f, 0, 21, "2001:db8::1");
    EXPECT(f, "join 11 21");
}

// Its announcement serves the next one, and what comes too much is closed.
static void a_client_that_is_reset_keeps_its_announcement(void **state)
{
    struct revtun_fixture *f = *state;

    revtun_fixture_up(f, 1, SERVER);
    struct pool_ref first = revtun_fixture_client(f, 0, 10, USER);
    revtun_fixture_client(f, 0, 11, USER);
    revtun_fixture_gone(f, first);
    EXPECT_NOTHING(f);
    EXPECT_GAUGES(f, .controls = 1, .pairs_free = 2, .waiting = 1);
    revtun_fixture_reverse(f, 0, 20, SERVER);
    EXPECT(f, "join 11 20");
    revtun_fixture_reverse(f, 0, 21, SERVER);
    EXPECT(f, "refuse 21 ");
    assert_int_equal(revtun_relay_stats(f->relay)->clients_reset, 1);
    assert_int_equal(revtun_relay_deadline(f->relay), NEVER);
}

// One dial has failed, so that the server is one short: 5 s later it is not any more.
static void a_stalled_match_is_announced_again(void **state)
{
    struct revtun_fixture *f = *state;

    revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_client(f, 0, 10, USER); // its dial fails
    revtun_fixture_pass(f, 3 * SECOND_NS);
    EXPECT_NOTHING(f);
    revtun_fixture_client(f, 0, 11, USER);
    revtun_fixture_reverse(f, 0, 21, SERVER);
    EXPECT(f, "join 10 21");
    revtun_fixture_pass_to_deadline(f, 5 * SECOND_NS);
    EXPECT(f, "send 1 " NEW, "report again 1 pair 0 count 1 waiting 1");
    revtun_fixture_reverse(f, 0, 22, SERVER);
    EXPECT(f, "join 11 22");
    revtun_fixture_client(f, 0, 12, USER); // and everybody is served at once
    revtun_fixture_reverse(f, 0, 23, SERVER);
    EXPECT(f, "join 12 23");
}

// What is gone is told before what is due is done, which does not name it any more.
static void what_is_gone_is_not_due(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    config.pending_timeout_ns = SECOND_NS;
    revtun_fixture_restart(f, &config);
    const struct pool_ref control = revtun_fixture_up(f, 1, SERVER);
    const struct pool_ref client = revtun_fixture_client(f, 0, 10, USER);
    revtun_fixture_client(f, 0, 11, USER);
    f->now.mono_ns += SECOND_NS;
    revtun_fixture_gone(f, client);
    EXPECT_NOTHING(f);
    revtun_fixture_pass(f, 0);
    EXPECT(f, "refuse 11 ", "report timed out 1 pair 0");
    revtun_fixture_client(f, 0, 12, USER);
    f->now.mono_ns += SECOND_NS;
    revtun_fixture_down(f, control);
    EXPECT(f, "report lost 1 pair 0 waiting 1", "refuse 12 ");
    revtun_fixture_pass(f, 0);
    EXPECT_NOTHING(f);
}

// That is found out when it is to be told something, with the others' turn still to come.
static void loses_a_server_while_more_is_due_than_fits(void **state)
{
    enum { PAIRS = 20 };
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();
    struct pool_ref controls[PAIRS];
    struct revtun_command command;

    config.pair_count = PAIRS;
    revtun_fixture_restart(f, &config);
    for (uint32_t i = 0; i < PAIRS; i++) {
        controls[i] = revtun_fixture_up(f, i, SERVER);
        revtun_fixture_client(f, i, 100 + i, USER);
    }
    f->now.mono_ns += 5 * SECOND_NS;
    revtun_relay_tick(f->relay, f->now);
    while (revtun_relay_take(f->relay, &command)) {
    }
    assert_int_equal(revtun_relay_deadline(f->relay), f->now.mono_ns);
    revtun_fixture_down(f, controls[0]);
    EXPECT(f, "report lost 0 pair 0 waiting 1", "refuse 100 ");
    revtun_fixture_pass(f, 0);
    EXPECT_GAUGES(f, .controls = PAIRS - 1, .pairs_free = 1, .waiting = PAIRS - 1);
    assert_int_equal(revtun_relay_stats(f->relay)->announcements_again, PAIRS);
}

static void waits_for_ever_unless_it_is_told_otherwise(void **state)
{
    struct revtun_fixture *f = *state;

    revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_client(f, 0, 10, USER);
    for (int i = 0; i < 100; i++) {
        revtun_fixture_pass_to_deadline(f, 60 * SECOND_NS);
        EXPECT(f, "send 1 " NEW, "report again 1 pair 0 count 1 waiting 1");
    }
    revtun_fixture_reverse(f, 0, 20, SERVER);
    EXPECT(f, "join 10 20");
}

static void closes_who_has_waited_for_too_long(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    config.pending_timeout_ns = 2 * SECOND_NS;
    revtun_fixture_restart(f, &config);
    revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_client(f, 0, 10, USER);
    revtun_fixture_pass(f, SECOND_NS);
    revtun_fixture_client(f, 0, 11, OTHER);
    revtun_fixture_pass(f, SECOND_NS - 1);
    EXPECT_NOTHING(f);
    revtun_fixture_pass(f, 1);
    EXPECT(f, "refuse 10 ", "report timed out 1 pair 0");
    revtun_fixture_reverse(f, 0, 20, SERVER); // dialled for the one that is gone
    EXPECT(f, "join 11 20");
    revtun_fixture_reverse(f, 0, 21, SERVER);
    EXPECT(f, "refuse 21 ");
    revtun_fixture_pass(f, 10 * SECOND_NS); // sessions have no such limit
    EXPECT_NOTHING(f);
    assert_int_equal(revtun_relay_stats(f->relay)->clients_timed_out, 1);
}

// More than the list of commands holds.
static void closes_any_number_that_is_due_at_once(void **state)
{
    enum { CLIENTS = 30 };
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    config.pending_timeout_ns = SECOND_NS;
    revtun_fixture_restart(f, &config);
    revtun_fixture_up(f, 1, SERVER);
    for (uint64_t i = 0; i < CLIENTS; i++) {
        revtun_fixture_client(f, 0, 10 + i, USER);
    }
    revtun_fixture_pass(f, SECOND_NS);
    assert_int_equal(f->count, 2 * CLIENTS);
    for (size_t i = 0; i < CLIENTS; i++) {
        assert_int_equal(f->commands[2 * i].type, REVTUN_COMMAND_REFUSE);
        assert_int_equal(f->commands[2 * i].refuse.conn, 10 + i);
    }
    EXPECT_GAUGES(f, .controls = 1, .pairs_free = 2);
}

static void each_limit_is_kept_and_counted(void **state)
{
    static const struct {
        uint32_t max_sessions, per_pair, max_waiting, waiting_per_pair, per_address;
        enum revtun_refusal refusal;
        const char *report;
    } cases[] = {
        {2, 9, 9, 9, 9, REVTUN_REFUSAL_SESSIONS, "report refused 1 pair 0 sessions"},
        {9, 2, 9, 9, 9, REVTUN_REFUSAL_PAIR_SESSIONS, "report refused 1 pair 0 pair_sessions"},
        {9, 9, 2, 9, 9, REVTUN_REFUSAL_WAITING, "report refused 1 pair 0 waiting"},
        {9, 9, 9, 2, 9, REVTUN_REFUSAL_PAIR_WAITING, "report refused 1 pair 0 pair_waiting"},
        {9, 9, 9, 9, 2, REVTUN_REFUSAL_ADDRESS_WAITING, "report refused 1 pair 0 address_waiting"},
    };
    struct revtun_fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct revtun_config config = revtun_fixture_config();
        config.max_sessions = cases[i].max_sessions;
        config.max_sessions_per_pair = cases[i].per_pair;
        config.max_waiting = cases[i].max_waiting;
        config.max_waiting_per_pair = cases[i].waiting_per_pair;
        config.max_waiting_per_address = cases[i].per_address;
        revtun_fixture_restart(f, &config);
        revtun_fixture_up(f, 1, SERVER);
        revtun_fixture_client(f, 0, 10, USER);
        struct pool_ref second = revtun_fixture_client(f, 0, 11, USER);
        EXPECT(f, "send 1 " NEW);
        struct pool_ref third = revtun_fixture_client(f, 0, 12, USER);
        EXPECT(f, "reset 12", cases[i].report);
        assert_int_equal(revtun_relay_stats(f->relay)->refused[cases[i].refusal - 1], 1);
        assert_int_equal(third.index, POOL_NONE);
        EXPECT_GAUGES(f, .controls = 1, .pairs_free = 2, .waiting = 2);
        revtun_fixture_gone(f, second);
        revtun_fixture_client(f, 0, 13, USER);
        EXPECT(f, "send 1 " NEW); // there is room again
    }
}

// Sessions count where clients as such are limited, and not among those that wait.
static void sessions_count_as_clients_but_do_not_wait(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    config.max_sessions = 3;
    config.max_sessions_per_pair = 2;
    config.max_waiting = 1;
    revtun_fixture_restart(f, &config);
    struct pool_ref control = revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_up(f, 2, SERVER);
    for (uint64_t i = 0; i < 2; i++) {
        revtun_fixture_client(f, 0, 10 + i, USER);
        EXPECT(f, "send 1 " NEW);
        revtun_fixture_reverse(f, 0, 20 + i, SERVER);
    }
    revtun_fixture_client(f, 0, 12, USER);
    assert_int_equal(revtun_fixture_report(f)->refusal, REVTUN_REFUSAL_PAIR_SESSIONS);
    revtun_fixture_client(f, 1, 13, USER);
    EXPECT(f, "send 2 " NEW);
    revtun_fixture_reverse(f, 1, 23, SERVER);
    revtun_fixture_client(f, 1, 14, USER);
    assert_int_equal(revtun_fixture_report(f)->refusal, REVTUN_REFUSAL_SESSIONS);
    revtun_fixture_down(f, control); // its sessions hold their places until they have ended
    revtun_fixture_client(f, 1, 15, USER);
    assert_int_equal(revtun_fixture_report(f)->refusal, REVTUN_REFUSAL_SESSIONS);
}

// Clients that come and go in a hurry: the control connection is not flooded.
static void announcements_that_nobody_answers_have_a_limit(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    config.max_waiting_per_pair = 4;
    revtun_fixture_restart(f, &config);
    revtun_fixture_up(f, 1, SERVER);
    for (uint64_t i = 0; i < 100; i++) {
        struct pool_ref client = revtun_fixture_client(f, 0, 10 + i, USER);
        if (i < 8) {
            EXPECT(f, "send 1 " NEW);
        } else {
            EXPECT_NOTHING(f);
        }
        revtun_fixture_gone(f, client);
    }
    assert_int_equal(revtun_relay_stats(f->relay)->announcements, 8);
    assert_int_equal(revtun_relay_stats(f->relay)->announcements_withheld, 92);
    revtun_fixture_client(f, 0, 200, USER); // what is under way serves it
    EXPECT_NOTHING(f);
    revtun_fixture_reverse(f, 0, 300, SERVER);
    EXPECT(f, "join 200 300");
    revtun_fixture_client(f, 0, 201, USER);
    EXPECT(f, "send 1 " NEW);
    revtun_fixture_pass_to_deadline(f, 5 * SECOND_NS); // none has come: they are taken for lost
    EXPECT(f, "send 1 " NEW, "report again 1 pair 0 count 1 waiting 1");
    revtun_fixture_client(f, 0, 202, USER);
    EXPECT(f, "send 1 " NEW);
}

static void pairs_do_not_disturb_one_another(void **state)
{
    struct revtun_fixture *f = *state;
    struct pool_ref a = revtun_fixture_up(f, 1, SERVER);

    revtun_fixture_up(f, 2, OTHER);
    revtun_fixture_client(f, 0, 10, USER);
    EXPECT(f, "send 1 " NEW);
    revtun_fixture_client(f, 1, 11, USER);
    EXPECT(f, "send 2 " NEW);
    revtun_fixture_reverse(f, 1, 20, OTHER);
    EXPECT(f, "join 11 20");
    revtun_fixture_down(f, a);
    EXPECT(f, "report lost 1 pair 0 waiting 1", "refuse 10 ");
    EXPECT_GAUGES(f, .controls = 1, .pairs_free = 2, .sessions = 1);
}

// An in-flight dial of the former server finds the pair again, but not its clients.
static void the_former_owner_of_a_pair_gets_nothing(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    config.pair_count = 1;
    revtun_fixture_restart(f, &config);
    struct pool_ref former = revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_client(f, 0, 10, USER);
    revtun_fixture_down(f, former);
    revtun_fixture_up(f, 2, OTHER);
    revtun_fixture_client(f, 0, 11, USER);
    revtun_fixture_reverse(f, 0, 20, SERVER);
    EXPECT(f, "reset 20", "report foreign 2 pair 0");
    revtun_fixture_reverse(f, 0, 21, OTHER);
    EXPECT(f, "join 11 21");
}

static void goes_on_with_another_configuration(void **state)
{
    struct revtun_fixture *f = *state;
    struct revtun_config config = revtun_fixture_config();

    revtun_fixture_up(f, 1, SERVER);
    revtun_fixture_client(f, 0, 10, USER);
    revtun_fixture_client(f, 0, 11, USER);
    revtun_fixture_pass(f, 3 * SECOND_NS);
    config.host = bytes_of_text("moved.example");
    config.reverse_policy = REVTUN_CONFIG_ANY;
    config.pending_timeout_ns = 2 * SECOND_NS;
    config.max_waiting_per_pair = 2;
    revtun_relay_adopt(f->relay, f->now, &config);
    revtun_fixture_pass(f, 0);
    EXPECT(f, "refuse 10 ", "report timed out 1 pair 0", "refuse 11 ", "report timed out 1 pair 0");
    revtun_fixture_client(f, 0, 12, USER);
    EXPECT(f, "send 1 " NEW);
    revtun_fixture_client(f, 0, 13, USER);
    revtun_fixture_client(f, 0, 14, USER);
    EXPECT(f, "reset 14", "report refused 1 pair 0 pair_waiting");
    revtun_fixture_reverse(f, 0, 20, OTHER);
    EXPECT(f, "join 12 20");
    revtun_fixture_up(f, 2, SERVER);
    EXPECT(f,
           "send 2 public_listener moved.example:5005\r\n"
           "reverse_listener moved.example:5002\r\n",
           "report linked 2 pair 1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        REVTUN_FIXTURE_TEST(greets_with_both_ports_in_one_piece),
        REVTUN_FIXTURE_TEST(has_the_originals_ports_by_default),
        REVTUN_FIXTURE_TEST(tells_the_host_as_it_is),
        REVTUN_FIXTURE_TEST(keeps_its_own_copy_of_the_host),
        REVTUN_FIXTURE_TEST(turns_away_whom_it_has_no_pair_for),
        REVTUN_FIXTURE_TEST(turns_all_away_without_pairs),
        REVTUN_FIXTURE_TEST(announces_each_client_and_joins_the_oldest_first),
        REVTUN_FIXTURE_TEST(closes_a_reverse_connection_that_nobody_waits_for),
        REVTUN_FIXTURE_TEST(says_on_both_ports_that_nobody_has_the_pair),
        REVTUN_FIXTURE_TEST(a_lost_control_connection_takes_all_with_it),
        REVTUN_FIXTURE_TEST(news_of_what_is_over_is_no_error),
        REVTUN_FIXTURE_TEST(a_line_of_the_server_ends_its_connection),
        REVTUN_FIXTURE_TEST(a_line_without_an_end_does_too),
        REVTUN_FIXTURE_TEST(pairs_come_back_in_the_order_of_their_release),
        REVTUN_FIXTURE_TEST(resets_what_comes_from_elsewhere),
        REVTUN_FIXTURE_TEST(knows_an_address_in_its_other_forms),
        REVTUN_FIXTURE_TEST(lets_in_what_it_cannot_compare_and_tells_it_once),
        REVTUN_FIXTURE_TEST(lets_all_in_if_it_is_told_to),
        REVTUN_FIXTURE_TEST(a_client_that_is_reset_keeps_its_announcement),
        REVTUN_FIXTURE_TEST(a_stalled_match_is_announced_again),
        REVTUN_FIXTURE_TEST(what_is_gone_is_not_due),
        REVTUN_FIXTURE_TEST(loses_a_server_while_more_is_due_than_fits),
        REVTUN_FIXTURE_TEST(waits_for_ever_unless_it_is_told_otherwise),
        REVTUN_FIXTURE_TEST(closes_who_has_waited_for_too_long),
        REVTUN_FIXTURE_TEST(closes_any_number_that_is_due_at_once),
        REVTUN_FIXTURE_TEST(each_limit_is_kept_and_counted),
        REVTUN_FIXTURE_TEST(sessions_count_as_clients_but_do_not_wait),
        REVTUN_FIXTURE_TEST(announcements_that_nobody_answers_have_a_limit),
        REVTUN_FIXTURE_TEST(pairs_do_not_disturb_one_another),
        REVTUN_FIXTURE_TEST(the_former_owner_of_a_pair_gets_nothing),
        REVTUN_FIXTURE_TEST(goes_on_with_another_configuration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
