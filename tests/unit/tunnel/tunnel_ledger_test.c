// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/pool.h"

enum { TUNNELS = 2, PAIRS = 3 };

static struct tunnel_ledger ledger;

static int begin(void **state)
{
    (void)state;
    return tunnel_ledger_open(&ledger, PAIRS, TUNNELS);
}

static int end(void **state)
{
    (void)state;
    tunnel_ledger_close(&ledger);
    tunnel_ledger_close(&ledger);
    return 0;
}

static struct now at_s(int64_t second)
{
    return (struct now){.mono_ns = (uint64_t)second * SECOND_NS, .wall_s = 1000000 + second};
}

static void report(enum revtun_event event, uint32_t pair, int64_t second)
{
    const uint8_t ip[ADDR_IP4_LEN] = {192, 0, 2, (uint8_t)(1 + pair)};
    const struct revtun_command_report one = {.event = event,
                                              .pair = pair,
                                              .from = addr_ip4(ip, 5),
                                              .count = 3,
                                              .refusal = REVTUN_REFUSAL_WAITING};

    tunnel_ledger_report(&ledger, &one, at_s(second));
}

static void ended(uint32_t pair, int64_t begun_s)
{
    static struct tunnel_session session;

    session.pair = pair;
    session.begun_ns = at_s(begun_s).mono_ns;
    session.pump.flows[0].byte_count = 100;
    session.pump.flows[1].byte_count = 7;
    tunnel_ledger_ended(&ledger, &session);
}

static void tells_who_has_a_pair_and_who_had_it(void **state)
{
    const struct tunnel_ledger_entry *entry = &ledger.entries[1];

    (void)state;
    assert_int_equal(entry->server.family, ADDR_NONE);
    report(REVTUN_EVENT_LINKED, 1, 10);
    assert_int_equal(entry->server.port, 5);
    assert_int_equal(entry->linked_s, 1000010);
    assert_int_equal(entry->gone_s, 0);
    report(REVTUN_EVENT_LOST, 1, 20);
    assert_int_equal(entry->gone_s, 1000020);
    assert_false(entry->has_spoken);
    report(REVTUN_EVENT_LINKED, 1, 30);
    assert_int_equal(entry->gone_s, 0);
    report(REVTUN_EVENT_SPOKE, 1, 40);
    assert_true(entry->has_spoken);
    assert_int_equal(ledger.entries[0].server.family, ADDR_NONE);
    assert_int_equal(ledger.entries[2].server.family, ADDR_NONE);
}

static void counts_what_goes_wrong_from_server_to_server(void **state)
{
    const struct tunnel_ledger_entry *entry = &ledger.entries[0];

    (void)state;
    report(REVTUN_EVENT_LINKED, 0, 10);
    report(REVTUN_EVENT_AGAIN, 0, 11);
    report(REVTUN_EVENT_AGAIN, 0, 12);
    report(REVTUN_EVENT_TIMED_OUT, 0, 13);
    report(REVTUN_EVENT_REFUSED, 0, 14);
    report(REVTUN_EVENT_FOREIGN, 0, 15);
    assert_int_equal(entry->again.count, 6);
    assert_int_equal(entry->again.last_s, 1000012);
    assert_int_equal(entry->timed_out.count, 1);
    assert_int_equal(entry->limited.count, 1);
    assert_int_equal(entry->limit, REVTUN_REFUSAL_WAITING);
    assert_int_equal(entry->foreign.last_s, 1000015);
    assert_int_equal(entry->foreigner.ip[3], 1);
    report(REVTUN_EVENT_LINKED, 0, 20);
    assert_int_equal(entry->again.count, 0);
    assert_int_equal(entry->foreign.count, 0);
}

static void sums_what_a_servers_own_sessions_have_carried(void **state)
{
    const struct tunnel_ledger_entry *entry = &ledger.entries[2];

    (void)state;
    report(REVTUN_EVENT_LINKED, 2, 10);
    ended(2, 10);
    ended(2, 12);
    assert_int_equal(entry->sessions, 2);
    assert_int_equal(entry->bytes[0], 200);
    assert_int_equal(entry->bytes[1], 14);
    report(REVTUN_EVENT_LINKED, 2, 20);
    ended(2, 19); // of the former one
    assert_int_equal(entry->sessions, 0);
    ended(2, 21);
    assert_int_equal(entry->bytes[0], 100);
}

static void knows_nothing_of_what_has_no_pair(void **state)
{
    (void)state;
    report(REVTUN_EVENT_LINKED, PAIRS, 10);
    report(REVTUN_EVENT_FULL, POOL_NONE, 10);
    ended(POOL_NONE, 10);
    for (uint32_t i = 0; i < PAIRS; i++) {
        assert_int_equal(ledger.entries[i].server.family, ADDR_NONE);
        assert_int_equal(ledger.entries[i].sessions, 0);
    }
}

static void report_tunnel(enum revtun_event event, struct pool_ref tunnel, int64_t second)
{
    const uint8_t ip[ADDR_IP4_LEN] = {192, 0, 2, 9};
    const struct revtun_command_report one = {.event = event,
                                              .pair = POOL_NONE,
                                              .from = addr_ip4(ip, 5),
                                              .tunnel = tunnel,
                                              .refusal = REVTUN_REFUSAL_WAITING};

    tunnel_ledger_report(&ledger, &one, at_s(second));
}

static void tunnel_ended(struct pool_ref tunnel, int64_t begun_s)
{
    static struct tunnel_session session;

    session.pair = POOL_NONE;
    session.begun_ns = at_s(begun_s).mono_ns;
    session.pump.flows[0].byte_count = 100;
    session.pump.flows[1].byte_count = 7;
    tunnel_ledger_tunnel_ended(&ledger, tunnel, &session, at_s(begun_s).wall_s);
}

static void goes_on_with_a_tunnel_that_is_bound_again(void **state)
{
    const struct pool_ref tunnel = {.index = 1, .generation = 0};

    (void)state;
    assert_null(tunnel_ledger_of(&ledger, tunnel));
    report_tunnel(REVTUN_EVENT_REFUSED, tunnel, 9);
    report_tunnel(REVTUN_EVENT_BOUND, tunnel, 10);
    const struct tunnel_ledger_entry *entry = tunnel_ledger_of(&ledger, tunnel);
    assert_non_null(entry);
    assert_int_equal(entry->limited.count, 0); // before it was there
    report_tunnel(REVTUN_EVENT_REFUSED, tunnel, 11);
    report_tunnel(REVTUN_EVENT_TIMED_OUT, tunnel, 12);
    report_tunnel(REVTUN_EVENT_DENIED, tunnel, 13);
    tunnel_ended(tunnel, 11);
    report_tunnel(REVTUN_EVENT_BOUND, tunnel, 20);
    assert_int_equal(entry->linked_s, at_s(10).wall_s);
    assert_int_equal(entry->sessions, 1);
    assert_int_equal(entry->bytes[0], 100);
    assert_int_equal(entry->bytes[1], 7);
    assert_int_equal(entry->limited.count, 1);
    assert_int_equal(entry->limit, REVTUN_REFUSAL_WAITING);
    assert_int_equal(entry->timed_out.last_s, at_s(12).wall_s);
    assert_int_equal(entry->denied.last_s, at_s(13).wall_s);
    assert_int_equal(entry->mute.count, 0);
}

static void begins_anew_with_another_tunnel_at_the_same_place(void **state)
{
    const struct pool_ref former = {.index = 0, .generation = 3};
    const struct pool_ref tunnel = {.index = 0, .generation = 4};

    (void)state;
    report_tunnel(REVTUN_EVENT_BOUND, former, 10);
    tunnel_ended(former, 11);
    report_tunnel(REVTUN_EVENT_BOUND, tunnel, 20);
    assert_null(tunnel_ledger_of(&ledger, former));
    tunnel_ended(former, 12);
    report_tunnel(REVTUN_EVENT_TIMED_OUT, former, 21);
    const struct tunnel_ledger_entry *entry = tunnel_ledger_of(&ledger, tunnel);
    assert_int_equal(entry->linked_s, at_s(20).wall_s);
    assert_int_equal(entry->sessions, 0);
    assert_int_equal(entry->timed_out.count, 0);
    // Tunnels that there are not, and reports of none.
    report_tunnel(REVTUN_EVENT_BOUND, (struct pool_ref){.index = TUNNELS}, 22);
    assert_null(tunnel_ledger_of(&ledger, (struct pool_ref){.index = TUNNELS}));
    report_tunnel(REVTUN_EVENT_FORGED, tunnel, 23);
    assert_int_equal(entry->limited.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_who_has_a_pair_and_who_had_it, begin, end),
        cmocka_unit_test_setup_teardown(counts_what_goes_wrong_from_server_to_server, begin, end),
        cmocka_unit_test_setup_teardown(sums_what_a_servers_own_sessions_have_carried, begin, end),
        cmocka_unit_test_setup_teardown(knows_nothing_of_what_has_no_pair, begin, end),
        cmocka_unit_test_setup_teardown(goes_on_with_a_tunnel_that_is_bound_again, begin, end),
        cmocka_unit_test_setup_teardown(begins_anew_with_another_tunnel_at_the_same_place, begin,
                                        end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
