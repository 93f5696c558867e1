// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_create_permission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"

// Asks for permissions for `count` peers in one request.
static int permit(struct turn_fixture *f, const struct addr *peers, size_t count)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_CREATE_PERMISSION);
    for (size_t i = 0; i < count; i++) {
        turn_fixture_add_peer(&draft, &peers[i]);
    }
    return turn_fixture_ask(f, &draft);
}

static void permits_an_address_at_all_its_ports(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 0); // the port means nothing

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(f->command_count, 1);
    for (uint16_t port = 1; port < 60000; port = (uint16_t)(port * 3)) {
        peer.port = port;
        assert_int_equal(turn_fixture_send_data(f, &peer, "x"), TURN_FORWARD);
        if (port > 20000) {
            break; // before the next step wraps
        }
    }
    peer = turn_fixture_addr("192.0.2.8", 9);
    assert_int_equal(turn_fixture_send_data(f, &peer, "x"), TURN_DROP);
}

static void installs_all_peers_of_a_request(void **state)
{
    struct turn_fixture *f = *state;
    const struct addr peers[] = {
        turn_fixture_addr("192.0.2.1", 1),
        turn_fixture_addr("192.0.2.2", 2),
        turn_fixture_addr("192.0.2.3", 3),
    };

    turn_fixture_allocate(f);
    assert_int_equal(permit(f, peers, COUNT_OF(peers)), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_gauges(f).permissions, 3);
    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        assert_int_equal(turn_fixture_send_data(f, &peers[i], "x"), TURN_FORWARD);
    }
}

static void installs_none_when_one_cannot_be(void **state)
{
    static const struct {
        const char *ip;
        int code;
    } rows[] = {{"127.0.0.1", 403}, {"2001:db8::1", 443}};
    struct turn_fixture *f = *state;

    turn_fixture_allocate(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t bad = 0; bad < 3; bad++) { // wherever it stands
            struct addr peers[] = {
                turn_fixture_addr("192.0.2.1", 1),
                turn_fixture_addr("192.0.2.2", 2),
                turn_fixture_addr("192.0.2.3", 3),
            };
            peers[bad] = turn_fixture_addr(rows[i].ip, 1);
            assert_int_equal(permit(f, peers, COUNT_OF(peers)), rows[i].code);
            assert_int_equal(turn_fixture_gauges(f).permissions, 0);
        }
    }
}

static void refreshes_none_when_one_cannot_be(void **state)
{
    struct turn_fixture *f = *state;
    const struct addr peers[] = {
        turn_fixture_addr("192.0.2.1", 1),
        turn_fixture_addr("127.0.0.1", 1),
    };

    turn_fixture_allocate(f);
    assert_int_equal(permit(f, peers, 1), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 200 * SECOND_NS);
    assert_int_equal(permit(f, peers, 2), 403);
    turn_fixture_wait(f, 100 * SECOND_NS);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
}

static void reports_the_peer_it_denies(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("169.254.169.254", 80);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_permit(f, &peer), 403);
    const struct turn_command_report *report = turn_fixture_report(f, TURN_EVENT_PEER_DENIED);
    assert_non_null(report);
    assert_true(addr_equal(&report->peer, &peer));
    assert_int_equal(report->refusal, TURN_REFUSAL_LINK_LOCAL);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_LINK_LOCAL), 1);
}

static void wants_a_peer(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_allocate(f);
    assert_int_equal(permit(f, NULL, 0), 400);
}

static void refuses_what_is_no_address(void **state)
{
    static const uint8_t strange_family[8] = {0, 3, 0, 1, 1, 2, 3, 4};
    static const uint8_t cut_ip6[8] = {0, 2, 0, 1, 1, 2, 3, 4};
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_allocate(f);
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_CREATE_PERMISSION);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_XOR_PEER_ADDRESS,
                    (struct bytes){strange_family, sizeof strange_family});
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_CREATE_PERMISSION);
    stun_attr_write(&draft.writer.wr, STUN_ATTR_XOR_PEER_ADDRESS,
                    (struct bytes){cut_ip6, sizeof cut_ip6});
    assert_int_equal(turn_fixture_ask(f, &draft), 400);
}

static void counts_a_refresh_once(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    turn_fixture_allocate(f);
    for (uint16_t i = 0; i < 20; i++) { // far more often than there is room for
        peer.port = i;
        assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_gauges(f).permissions, 1);
    }
}

static void refuses_by_508_more_than_an_allocation_may_hold(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peers[7];

    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        peers[i] = turn_fixture_addr("192.0.2.0", 9);
        peers[i].ip[3] = (uint8_t)(i + 1);
    }
    turn_fixture_allocate(f);
    assert_int_equal(permit(f, peers, 7), 508); // all or nothing
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
    assert_int_equal(permit(f, peers, 6), TURN_FIXTURE_SUCCESS);
    assert_int_equal(permit(f, peers + 1, 6), 508);
    assert_int_equal(turn_fixture_report(f, TURN_EVENT_EXHAUSTED)->refusal,
                     TURN_REFUSAL_ALLOCATIONS_PERMISSIONS);
    assert_int_equal(turn_fixture_refused(f, TURN_REFUSAL_ALLOCATIONS_PERMISSIONS), 2);
    assert_int_equal(permit(f, peers, 6), TURN_FIXTURE_SUCCESS); // refreshing takes no room
    assert_int_equal(turn_fixture_gauges(f).permissions, 6);
}

static void counts_a_peer_once_however_often_it_is_named(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peers[13];

    for (size_t i = 0; i < COUNT_OF(peers); i++) { // 1 to 6 and again, at other ports
        peers[i] = turn_fixture_addr("192.0.2.0", (uint16_t)i);
        peers[i].ip[3] = (uint8_t)(i % 6 + 1);
    }
    turn_fixture_allocate(f);
    assert_int_equal(permit(f, peers, COUNT_OF(peers)), TURN_FIXTURE_SUCCESS); // there may be 6
    assert_int_equal(turn_fixture_gauges(f).permissions, 6);
    assert_int_equal(turn_fixture_gauges(f).timers, 1 + 6);
}

static void leaves_all_as_it_was_when_the_last_has_no_room(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peers[7];

    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        peers[i] = turn_fixture_addr("192.0.2.0", 9);
        peers[i].ip[3] = (uint8_t)(i + 1);
    }
    turn_fixture_allocate(f);
    assert_int_equal(permit(f, peers, 2), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 200 * SECOND_NS);
    assert_int_equal(permit(f, peers, 7), 508);
    assert_int_equal(turn_fixture_gauges(f).permissions, 2);
    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        assert_int_equal(turn_fixture_send_data(f, &peers[i], "x"),
                         i < 2 ? TURN_FORWARD : TURN_DROP);
    }
    turn_fixture_wait(f, 100 * SECOND_NS); // and they were not refreshed
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
}

static void refuses_by_508_what_the_pool_cannot_hold(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peers[6];

    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        peers[i] = turn_fixture_addr("192.0.2.0", 9);
        peers[i].ip[3] = (uint8_t)(i + 1);
    }
    for (uint16_t i = 0; i < 3; i++) { // the pool holds 16
        f->tuple.client.port = (uint16_t)(4001 + i);
        turn_fixture_allocate(f);
        assert_int_equal(permit(f, peers, i == 2 ? 4 : 6), TURN_FIXTURE_SUCCESS);
    }
    assert_int_equal(permit(f, peers, 5), 508);
    assert_int_equal(turn_fixture_gauges(f).permissions, 16);
}

static void needs_an_allocation_of_the_same_user(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    assert_int_equal(turn_fixture_permit(f, &peer), 437);
    turn_fixture_allocate(f);
    f->user = "bob";
    f->password = "hidden";
    assert_int_equal(turn_fixture_permit(f, &peer), 441);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
}

// --- Firezone's clients --------------------------------------------------------------------------

// Their relay took every CreatePermission for good and did nothing.
static void firezones_succeeds_whatever_it_asks(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct addr denied = turn_fixture_addr("127.0.0.1", 9);
    struct addr other_family = turn_fixture_addr("2001:db8::9", 9);

    turn_fixture_become_firezone(f);
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS); // no allocation
    assert_true(turn_fixture_is_signed(f, TURN_FIXTURE_SHA1));
    assert_true(turn_fixture_is_empty(f));
    turn_fixture_allocate(f);
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_CREATE_PERMISSION);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS); // no peer
    assert_int_equal(turn_fixture_permit(f, &denied), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_permit(f, &other_family), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0); // and nothing is permitted by it
    assert_int_equal(turn_fixture_send_data(f, &denied, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_gauges(f).permissions, 1); // what can be permitted is
    assert_int_equal(turn_fixture_send_data(f, &peer, "x"), TURN_FORWARD);
}

static void firezones_needs_a_credential_all_the_same(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    turn_fixture_become_firezone(f);
    f->password = "guess";
    assert_int_equal(turn_fixture_permit(f, &peer), 401);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(permits_an_address_at_all_its_ports),
        TURN_FIXTURE_TEST(installs_all_peers_of_a_request),
        TURN_FIXTURE_TEST(installs_none_when_one_cannot_be),
        TURN_FIXTURE_TEST(refreshes_none_when_one_cannot_be),
        TURN_FIXTURE_TEST(reports_the_peer_it_denies),
        TURN_FIXTURE_TEST(wants_a_peer),
        TURN_FIXTURE_TEST(refuses_what_is_no_address),
        TURN_FIXTURE_TEST(counts_a_refresh_once),
        TURN_FIXTURE_TEST(refuses_by_508_more_than_an_allocation_may_hold),
        TURN_FIXTURE_TEST(counts_a_peer_once_however_often_it_is_named),
        TURN_FIXTURE_TEST(leaves_all_as_it_was_when_the_last_has_no_room),
        TURN_FIXTURE_TEST(refuses_by_508_what_the_pool_cannot_hold),
        TURN_FIXTURE_TEST(needs_an_allocation_of_the_same_user),
        TURN_FIXTURE_TEST(firezones_succeeds_whatever_it_asks),
        TURN_FIXTURE_TEST(firezones_needs_a_credential_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
