// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_refresh.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"

static void moves_the_expiry(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_allocate(f);
    turn_fixture_wait(f, 599 * SECOND_NS);
    assert_int_equal(turn_fixture_refresh(f, 1200), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_number(f, STUN_ATTR_LIFETIME), 1200);
    turn_fixture_wait(f, 1200 * SECOND_NS - 1);
    assert_int_equal(turn_fixture_gauges(f).allocations, 1);
    turn_fixture_wait(f, 1);
    assert_true(turn_fixture_is_empty(f));
    assert_int_equal(f->command_count, 2);
    assert_int_equal(f->commands[0].type, TURN_COMMAND_CLOSE);
    assert_non_null(turn_fixture_report(f, TURN_EVENT_EXPIRED));
}

static void can_bring_the_expiry_nearer(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_refresh(f, 3600), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_refresh(f, 700), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 700 * SECOND_NS);
    assert_true(turn_fixture_is_empty(f));
}

static void grants_lifetimes_between_floor_and_cap(void **state)
{
    static const struct {
        uint32_t wish_s;
        uint32_t granted_s;
    } rows[] = {{1, 600}, {599, 600}, {600, 600}, {3600, 3600}, {3601, 3600}, {UINT32_MAX, 3600}};
    struct turn_fixture *f = *state;

    turn_fixture_allocate(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_int_equal(turn_fixture_refresh(f, rows[i].wish_s), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_number(f, STUN_ATTR_LIFETIME), rows[i].granted_s);
        assert_int_equal(turn_server_deadline(f->server),
                         f->now.mono_ns + rows[i].granted_s * SECOND_NS);
    }
}

static void grants_the_default_to_those_who_name_none(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_fixture_draft draft;

    turn_fixture_allocate(f);
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_REFRESH);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_number(f, STUN_ATTR_LIFETIME), 600);
}

static void of_0_closes_the_socket_before_it_answers(void **state)
{
    struct turn_fixture *f = *state;

    struct pool_ref allocation = turn_fixture_allocate(f);
    struct addr relayed = turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_number(f, STUN_ATTR_LIFETIME), 0);
    assert_int_equal(f->command_count, 3);
    assert_int_equal(f->commands[0].type, TURN_COMMAND_CLOSE);
    assert_memory_equal(&f->commands[0].socket.allocation, &allocation, sizeof allocation);
    assert_true(addr_equal(&f->commands[0].socket.relayed, &relayed));
    assert_int_equal(f->commands[1].type, TURN_COMMAND_REPORT);
    assert_int_equal(f->commands[2].type, TURN_COMMAND_SEND);
    assert_non_null(turn_fixture_report(f, TURN_EVENT_DELETED));
    assert_true(turn_fixture_is_empty(f));
}

static void of_0_takes_permissions_and_channels_along(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct addr other = turn_fixture_addr("192.0.2.10", 9);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_permit(f, &other), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_gauges(f).timers, 4);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_true(turn_fixture_is_empty(f));
    turn_fixture_allocate(f); // nothing of it comes back with the next one
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_send_data(f, &other, "x"), TURN_DROP);
}

static void of_0_once_more_gets_437(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_refresh(f, 0), 437);
}

static void checks_the_family_if_one_is_named(void **state)
{
    static const struct {
        uint8_t family;
        int code;
    } rows[] = {
        {STUN_ATTR_FAMILY_IP4, TURN_FIXTURE_SUCCESS}, {STUN_ATTR_FAMILY_IP6, 443}, {3, 443}};
    struct turn_fixture *f = *state;

    turn_fixture_allocate(f);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct turn_fixture_draft draft;
        turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_REFRESH);
        stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, rows[i].family);
        stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 700);
        assert_int_equal(turn_fixture_ask(f, &draft), rows[i].code);
    }
}

static void does_not_prolong_permissions_and_channels(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 299 * SECOND_NS);
    assert_int_equal(turn_fixture_refresh(f, 3600), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, SECOND_NS);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
    turn_fixture_wait(f, 300 * SECOND_NS);
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
    assert_int_equal(turn_fixture_gauges(f).allocations, 1);
}

static int refresh_family(struct turn_fixture *f, uint8_t family, uint32_t lifetime_s)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, lifetime_s);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, family);
    return turn_fixture_ask(f, &draft);
}

static struct pool_ref allocate_both(struct turn_fixture *f)
{
    struct turn_fixture_draft draft;

    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    return f->commands[0].socket.allocation;
}

static void of_0_can_end_one_of_two_families(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peers[] = {turn_fixture_addr("192.0.2.9", 9), turn_fixture_addr("2001:db8::9", 9)};

    for (size_t gone = 0; gone < 2; gone++) {
        uint8_t gone_family = gone == 0 ? STUN_ATTR_FAMILY_IP4 : STUN_ATTR_FAMILY_IP6;
        struct pool_ref allocation = allocate_both(f);
        for (size_t i = 0; i < 2; i++) {
            assert_int_equal(turn_fixture_permit(f, &peers[i]), TURN_FIXTURE_SUCCESS);
        }
        assert_int_equal(refresh_family(f, gone_family, 0), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_number(f, STUN_ATTR_LIFETIME), 0);
        assert_int_equal(turn_fixture_count(f, TURN_COMMAND_CLOSE), 1);
        assert_int_equal(f->commands[0].socket.relayed.family, peers[gone].family);
        assert_int_equal(turn_fixture_gauges(f).allocations, 1);
        assert_int_equal(turn_fixture_send_data(f, &peers[gone], "x"), TURN_DROP);
        assert_int_equal(turn_fixture_permit(f, &peers[gone]), 443);
        assert_int_equal(turn_fixture_send_data(f, &peers[1 - gone], "x"), TURN_FORWARD);
        // What was still underway when the socket was closed does not come through.
        assert_int_equal(turn_fixture_from_peer(f, allocation, &peers[gone], bytes_of_text("x")),
                         TURN_DROP);
        assert_int_equal(
            turn_fixture_from_peer(f, allocation, &peers[1 - gone], bytes_of_text("x")),
            TURN_FORWARD);
        assert_int_equal(refresh_family(f, gone_family, 0), 443);
        assert_int_equal(refresh_family(f, gone_family, 600), 443);
        assert_int_equal(refresh_family(f, (uint8_t)(3 - gone_family), 0), TURN_FIXTURE_SUCCESS);
        assert_true(turn_fixture_is_empty(f));
    }
}

// Firezone's clients build all requests with one function.
static void firezones_repeats_the_attributes_of_the_allocate(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_become_firezone(f);
    turn_fixture_allocate(f); // of IPv4 alone
    for (uint32_t lifetime_s = 600;; lifetime_s = 0) {
        struct turn_fixture_draft draft;
        turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_REFRESH);
        stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_TRANSPORT,
                           STUN_ATTR_TRANSPORT_UDP);
        stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY,
                           STUN_ATTR_FAMILY_IP6);
        stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY,
                           STUN_ATTR_FAMILY_IP6);
        stun_attr_write(&draft.writer.wr, STUN_ATTR_SOFTWARE, bytes_of_text("session"));
        stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, lifetime_s);
        assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
        assert_int_equal(turn_fixture_number(f, STUN_ATTR_LIFETIME), lifetime_s);
        if (lifetime_s == 0) {
            break;
        }
    }
    assert_true(turn_fixture_is_empty(f));
}

static void firezones_users_share_what_an_address_holds(void **state)
{
    struct turn_fixture *f = *state;

    turn_fixture_become_firezone(f);
    turn_fixture_allocate(f);
    turn_fixture_use_firezone(f, "1892160000:othersalt");
    assert_int_equal(turn_fixture_refresh(f, 600), TURN_FIXTURE_SUCCESS); // 441 never
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(moves_the_expiry),
        TURN_FIXTURE_TEST(can_bring_the_expiry_nearer),
        TURN_FIXTURE_TEST(grants_lifetimes_between_floor_and_cap),
        TURN_FIXTURE_TEST(grants_the_default_to_those_who_name_none),
        TURN_FIXTURE_TEST(of_0_closes_the_socket_before_it_answers),
        TURN_FIXTURE_TEST(of_0_takes_permissions_and_channels_along),
        TURN_FIXTURE_TEST(of_0_once_more_gets_437),
        TURN_FIXTURE_TEST(checks_the_family_if_one_is_named),
        TURN_FIXTURE_TEST(does_not_prolong_permissions_and_channels),
        TURN_FIXTURE_TEST(of_0_can_end_one_of_two_families),
        TURN_FIXTURE_TEST(firezones_repeats_the_attributes_of_the_allocate),
        TURN_FIXTURE_TEST(firezones_users_share_what_an_address_holds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
