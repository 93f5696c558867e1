// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_channel_bind.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"

static const char peer_ip[] = "192.0.2.9";

static void binds_and_permits_at_once(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip, 9);
    struct addr other_port = turn_fixture_addr(peer_ip, 10);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(f->command_count, 1);
    assert_int_equal(turn_fixture_gauges(f).channels, 1);
    assert_int_equal(turn_fixture_gauges(f).permissions, 1);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
    assert_true(addr_equal(&f->forward.peer, &peer));
    assert_int_equal(turn_fixture_send_data(f, &other_port, "x"), TURN_FORWARD);
}

static void binds_the_numbers_of_rfc_5766_and_of_no_other(void **state)
{
    static const uint16_t bad[] = {0, 1, 0x3fff, 0x8000, 0xffff};
    static const uint16_t good[] = {0x4000, 0x4fff, 0x5000, 0x7fff};
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip, 9);

    turn_fixture_allocate(f);
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(turn_fixture_bind(f, bad[i], &peer), 400);
    }
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        peer.port++;
        assert_int_equal(turn_fixture_bind(f, good[i], &peer), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_chandata(f, good[i], "x"), TURN_FORWARD);
    }
}

static void wants_a_number_and_a_peer(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip, 9);
    struct turn_fixture_draft draft;

    turn_fixture_allocate(f);
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_CHANNEL_BIND);
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_CHANNEL_BIND);
    stun_attr_u16_write(&draft.writer.wr, STUN_ATTR_CHANNEL_NUMBER, 0x4000);
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_CHANNEL_BIND);
    turn_fixture_add_peer(&draft, &peer);
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    peer.port = 0; // nothing can be sent there
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), 400);
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
}

static void refuses_a_bound_number_for_another_peer(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip, 9);
    struct addr other_port = turn_fixture_addr(peer_ip, 10);
    struct addr other_ip = turn_fixture_addr("192.0.2.10", 9);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other_port), 400);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other_ip), 400);
    assert_int_equal(turn_fixture_gauges(f).permissions, 1); // the other got none
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
    assert_true(addr_equal(&f->forward.peer, &peer));
}

static void refuses_a_bound_peer_for_another_number(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip, 9);
    struct addr other = turn_fixture_addr(peer_ip, 10);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &peer), 400);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &other), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &peer), 400); // both bound, crosswise
    assert_int_equal(turn_fixture_gauges(f).channels, 2);
}

static void a_conflict_refreshes_nothing(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip, 9);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_refresh(f, 3600), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 200 * SECOND_NS);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &peer), 400);
    turn_fixture_wait(f, 100 * SECOND_NS);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
    turn_fixture_wait(f, 300 * SECOND_NS);
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
}

static void refreshes_channel_and_permission(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip, 9);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_refresh(f, 3600), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 299 * SECOND_NS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_gauges(f).channels, 1);
    assert_int_equal(turn_fixture_gauges(f).permissions, 1);
    turn_fixture_wait(f, 300 * SECOND_NS - 1);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
    turn_fixture_wait(f, 1);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
    turn_fixture_wait(f, 300 * SECOND_NS - 1);
    assert_int_equal(turn_fixture_gauges(f).channels, 1);
    turn_fixture_wait(f, 1);
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
}

static void a_number_is_free_again_after_600_s(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip, 9);
    struct addr other = turn_fixture_addr(peer_ip, 10);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_refresh(f, 3600), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 600 * SECOND_NS - 1);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other), 400);
    turn_fixture_wait(f, 1);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &peer), TURN_FIXTURE_SUCCESS);
}

static void refuses_peers_as_create_permission_does(void **state)
{
    struct turn_fixture *f = *state;
    struct addr loopback = turn_fixture_addr("127.0.0.1", 9);
    struct addr ip6 = turn_fixture_addr("2001:db8::1", 9);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &loopback), 403);
    assert_non_null(turn_fixture_report(f, TURN_EVENT_PEER_DENIED));
    assert_int_equal(turn_fixture_bind(f, 0x4000, &ip6), 443);
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
}

static void refuses_by_508_more_than_an_allocation_may_hold(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip, 9);

    turn_fixture_allocate(f);
    for (uint16_t i = 0; i < 4; i++) {
        peer.port = (uint16_t)(9 + i);
        assert_int_equal(turn_fixture_bind(f, (uint16_t)(0x4000 + i), &peer), TURN_FIXTURE_SUCCESS);
    }
    peer.port = 13;
    assert_int_equal(turn_fixture_bind(f, 0x4004, &peer), 508);
    assert_int_equal(turn_fixture_report(f, TURN_EVENT_EXHAUSTED)->refusal,
                     TURN_REFUSAL_ALLOCATIONS_CHANNELS);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_ALLOCATIONS_CHANNELS), 1);
    peer.port = 12;
    assert_int_equal(turn_fixture_bind(f, 0x4003, &peer), TURN_FIXTURE_SUCCESS); // a refresh
}

static void binds_nothing_without_room_for_the_permission(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.1", 9);

    turn_fixture_allocate(f);
    for (uint8_t i = 1; i <= 6; i++) {
        peer.ip[3] = i;
        assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    }
    peer.ip[3] = 7;
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), 508);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_ALLOCATIONS_PERMISSIONS), 1);
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
    peer.ip[3] = 6;
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
}

static void channels_of_two_allocations_are_strangers(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr(peer_ip, 9);
    struct addr other = turn_fixture_addr(peer_ip, 10);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    f->tuple.client.port = 4002;
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
    assert_true(addr_equal(&f->forward.peer, &other));
}

// --- Firezone's clients --------------------------------------------------------------------------

static void firezones_channel_is_its_own_permission_for_the_exact_port(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct addr other_port = addr_with_port(peer, 10);

    turn_fixture_become_firezone(f);
    struct pool_ref allocation = turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &peer, bytes_of_text("x")),
                     TURN_FORWARD);
    assert_int_equal(f->forward.head_len, 4);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &other_port, bytes_of_text("x")),
                     TURN_DROP);
    assert_int_equal(turn_fixture_send_data(f, &other_port, "x"), TURN_DROP);
    turn_fixture_wait(f, 599 * SECOND_NS); // longer than any permission
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
}

static void firezones_channel_rests_for_300_s(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct addr other = turn_fixture_addr("192.0.2.10", 9);

    turn_fixture_become_firezone(f);
    struct pool_ref allocation = turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_refresh(f, 3600), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 600 * SECOND_NS); // it is no use any more, but still kept apart
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &peer, bytes_of_text("x")), TURN_DROP);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other), 400);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &peer), 400);
    turn_fixture_wait(f, 299 * SECOND_NS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other), 400);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS); // refreshed
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
    turn_fixture_wait(f, 600 * SECOND_NS);
    assert_int_equal(turn_fixture_gauges(f).channels, 1);
    turn_fixture_wait(f, 300 * SECOND_NS); // rested: both are free
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &peer), TURN_FIXTURE_SUCCESS);
}

static void firezones_numbers_end_at_4fff(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    turn_fixture_become_firezone(f);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x3FFF, &peer), 400);
    assert_int_equal(turn_fixture_bind(f, 0x5000, &peer), 400);
    assert_int_equal(turn_fixture_bind(f, 0x7FFF, &peer), 400);
    assert_int_equal(turn_fixture_bind(f, 0x4FFF, &peer), TURN_FIXTURE_SUCCESS);
}

static void firezones_peers_may_be_private_unless_a_rule_denies_them(void **state)
{
    static const char *const reached[] = {"10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1"};
    static const char *const never[] = {"127.0.0.1", "169.254.169.254", "0.0.0.0",
                                        "224.0.0.1", "255.255.255.255", "240.0.0.1"};
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct turn_peer_rule rule = {{{{10}, 0, ADDR_IP4, 0}, 8}, false};

    turn_fixture_become_firezone(f);
    turn_fixture_allocate(f);
    for (uint16_t i = 0; i < COUNT_OF(reached); i++) {
        struct addr peer = turn_fixture_addr(reached[i], 9);
        assert_int_equal(turn_fixture_bind(f, (uint16_t)(0x4000 + i), &peer), TURN_FIXTURE_SUCCESS);
    }
    for (size_t i = 0; i < COUNT_OF(never); i++) {
        struct addr peer = turn_fixture_addr(never[i], 9);
        assert_int_equal(turn_fixture_bind(f, 0x4FFF, &peer), 403);
    }
    config.rules = &rule;
    config.rule_count = 1;
    config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    turn_fixture_restart(f, &config);
    turn_fixture_allocate(f);
    struct addr denied = turn_fixture_addr("10.1.2.3", 9);
    struct addr peer = turn_fixture_addr("192.168.1.1", 9);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &denied), 403);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    f->realm = NULL; // the RFC's clients of the same relay reach none
    f->user = "alice";
    f->password = "secret";
    f->tuple.client.port++;
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), 403);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(binds_and_permits_at_once),
        TURN_FIXTURE_TEST(binds_the_numbers_of_rfc_5766_and_of_no_other),
        TURN_FIXTURE_TEST(wants_a_number_and_a_peer),
        TURN_FIXTURE_TEST(refuses_a_bound_number_for_another_peer),
        TURN_FIXTURE_TEST(refuses_a_bound_peer_for_another_number),
        TURN_FIXTURE_TEST(a_conflict_refreshes_nothing),
        TURN_FIXTURE_TEST(refreshes_channel_and_permission),
        TURN_FIXTURE_TEST(a_number_is_free_again_after_600_s),
        TURN_FIXTURE_TEST(refuses_peers_as_create_permission_does),
        TURN_FIXTURE_TEST(refuses_by_508_more_than_an_allocation_may_hold),
        TURN_FIXTURE_TEST(binds_nothing_without_room_for_the_permission),
        TURN_FIXTURE_TEST(channels_of_two_allocations_are_strangers),
        TURN_FIXTURE_TEST(firezones_channel_is_its_own_permission_for_the_exact_port),
        TURN_FIXTURE_TEST(firezones_channel_rests_for_300_s),
        TURN_FIXTURE_TEST(firezones_numbers_end_at_4fff),
        TURN_FIXTURE_TEST(firezones_peers_may_be_private_unless_a_rule_denies_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
