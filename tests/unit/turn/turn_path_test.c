// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_path.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

static void start(struct turn_fixture *f)
{
    struct turn_config config = turn_fixture_config();

    config.has_fast_path = true;
    turn_fixture_restart(f, &config);
}

static void start_firezone(struct turn_fixture *f)
{
    turn_fixture_become_firezone(f);
    struct turn_config config = f->config;
    config.has_fast_path = true;
    turn_fixture_restart(f, &config);
}

// How many commands of the last call bind or unbind; they stand before all others.
static uint32_t paths_first(const struct turn_fixture *f)
{
    uint32_t count = 0;

    for (uint32_t i = 0; i < f->command_count; i++) {
        enum turn_command_type type = f->commands[i].type;
        if (type == TURN_COMMAND_BIND || type == TURN_COMMAND_UNBIND) {
            assert_int_equal(count, i);
            count++;
        }
    }
    return count;
}

// The last call bound one channel, and unbound none.
static struct turn_command_bind bound(const struct turn_fixture *f)
{
    assert_int_equal(paths_first(f), 1);
    assert_int_equal(f->commands[0].type, TURN_COMMAND_BIND);
    return f->commands[0].bind;
}

static uint32_t unbound(const struct turn_fixture *f)
{
    assert_int_equal(paths_first(f), 1);
    assert_int_equal(f->commands[0].type, TURN_COMMAND_UNBIND);
    return f->commands[0].unbind.channel;
}

static void nothing_is_said_unless_asked_for(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(paths_first(f), 0);
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(paths_first(f), 0);
    assert_true(turn_fixture_is_empty(f));
}

static void is_bound_before_the_client_is_told(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    start(f);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4123, &peer), TURN_FIXTURE_SUCCESS);
    struct turn_command_bind bind = bound(f);
    assert_int_equal(f->commands[1].type, TURN_COMMAND_SEND);
    uint32_t allocation = turn_allocation_find(f->server, &f->tuple);
    assert_int_equal(bind.channel, turn_channel_find(f->server, allocation, 0x4123));
    assert_int_equal(bind.number, 0x4123);
    assert_false(bind.is_turned);
    assert_memory_equal(&bind.tuple, &f->tuple, sizeof f->tuple);
    assert_true(addr_equal(&bind.peer, &peer));
    uint16_t port = turn_allocation_at(f->server, allocation)->port;
    struct addr relayed = addr_with_port(f->config.public_ip4, port);
    assert_true(addr_equal(&bind.relayed, &relayed));
    // Once more changes nothing.
    assert_int_equal(turn_fixture_bind(f, 0x4123, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(paths_first(f), 0);
}

static void follows_the_permission(void **state)
{
    struct turn_fixture *f = *state;
    struct addr one = turn_fixture_addr("192.0.2.9", 9);
    struct addr two = turn_fixture_addr("192.0.2.9", 10);
    struct addr other = turn_fixture_addr("192.0.2.10", 9);

    start(f);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &one), TURN_FIXTURE_SUCCESS);
    uint32_t channel = bound(f).channel;
    assert_int_equal(turn_fixture_bind(f, 0x4001, &two), TURN_FIXTURE_SUCCESS);
    assert_int_not_equal(bound(f).channel, channel);
    turn_fixture_wait(f, 200 * SECOND_NS);
    assert_int_equal(turn_fixture_bind(f, 0x4002, &other), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, 100 * SECOND_NS);
    assert_int_equal(paths_first(f), 2); // those of the one IP address
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_UNBIND), 2);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_permit(f, &other), TURN_FIXTURE_SUCCESS);
    assert_int_equal(paths_first(f), 0);
    assert_int_equal(turn_fixture_permit(f, &one), TURN_FIXTURE_SUCCESS);
    assert_int_equal(paths_first(f), 2);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_BIND), 2);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "x"), TURN_FORWARD);
}

static void ends_with_the_channel(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    start(f);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_refresh(f, 3600), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    uint32_t channel = bound(f).channel;
    for (int i = 0; i < 4; i++) {
        turn_fixture_wait(f, 149 * SECOND_NS);
        assert_int_equal(paths_first(f), 0);
        assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
        assert_int_equal(paths_first(f), 0);
    }
    turn_fixture_wait(f, 4 * SECOND_NS);
    assert_int_equal(unbound(f), channel);
    // Its slot is free again.
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(bound(f).channel, channel);
}

static void all_end_with_the_allocation(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    bool is_bound[4] = {0};

    start(f);
    turn_fixture_allocate(f);
    for (uint16_t i = 0; i < 4; i++) {
        peer.port = (uint16_t)(i + 1);
        assert_int_equal(turn_fixture_bind(f, (uint16_t)(0x4000 + i), &peer), TURN_FIXTURE_SUCCESS);
        is_bound[bound(f).channel] = true;
    }
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    assert_int_equal(paths_first(f), 4);
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(f->commands[i].type, TURN_COMMAND_UNBIND);
        assert_true(is_bound[f->commands[i].unbind.channel]);
        is_bound[f->commands[i].unbind.channel] = false;
    }
    assert_true(turn_fixture_is_empty(f));
}

static void ends_with_the_family(void **state)
{
    struct turn_fixture *f = *state;
    struct addr ip4 = turn_fixture_addr("192.0.2.9", 9);
    struct addr ip6 = turn_fixture_addr("2001:db8:9::9", 9);
    struct turn_fixture_draft draft;

    start(f);
    turn_fixture_begin_allocate(f, &draft);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &ip4), TURN_FIXTURE_SUCCESS);
    assert_int_equal(bound(f).relayed.family, ADDR_IP4);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &ip6), TURN_FIXTURE_SUCCESS);
    struct turn_command_bind second = bound(f);
    assert_int_equal(second.relayed.family, ADDR_IP6);
    turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_REFRESH);
    stun_attr_u32_write(&draft.writer.wr, STUN_ATTR_LIFETIME, 0);
    stun_attr_u8_write(&draft.writer.wr, STUN_ATTR_REQUESTED_ADDRESS_FAMILY, STUN_ATTR_FAMILY_IP6);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(unbound(f), second.channel);
    // A permission that comes back does not open what has no family.
    turn_fixture_wait(f, 300 * SECOND_NS);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_UNBIND), 1);
    assert_int_equal(turn_fixture_permit(f, &ip4), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_count(f, TURN_COMMAND_BIND), 1);
}

static void a_relayed_address_of_our_own_is_turned(void **state)
{
    struct turn_fixture *f = *state;

    start(f);
    struct pool_ref ref = turn_fixture_allocate(f);
    struct addr own =
        turn_allocation_relayed(f->server, turn_allocation_at(f->server, ref.index), ADDR_IP4);
    f->tuple.client.port++;
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &own), TURN_FIXTURE_SUCCESS);
    struct turn_command_bind bind = bound(f);
    assert_true(bind.is_turned);
    assert_true(addr_equal(&bind.peer, &own));
}

// Firezone's channels need no permission, and keep number and peer apart for a while.
static void a_resting_channel_is_closed(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    start_firezone(f);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_refresh(f, 3600), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    uint32_t channel = bound(f).channel;
    turn_fixture_wait(f, 599 * SECOND_NS);
    assert_int_equal(paths_first(f), 0);
    turn_fixture_wait(f, SECOND_NS);
    assert_int_equal(unbound(f), channel);
    assert_int_equal(turn_fixture_gauges(f).channels, 1);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    assert_int_equal(bound(f).channel, channel);
    turn_fixture_wait(f, 600 * SECOND_NS);
    assert_int_equal(unbound(f), channel);
    turn_fixture_wait(f, 300 * SECOND_NS);
    assert_int_equal(paths_first(f), 0);
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
}

// A new allocation of the same user ends the old one and its channels, before it is opened itself.
static void takeover_unbinds_first(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct turn_fixture_draft draft;

    start_firezone(f);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    uint32_t channel = bound(f).channel;
    f->tuple.client.port++;
    turn_fixture_begin_allocate(f, &draft);
    assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    assert_int_equal(unbound(f), channel);
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(nothing_is_said_unless_asked_for),
        TURN_FIXTURE_TEST(is_bound_before_the_client_is_told),
        TURN_FIXTURE_TEST(follows_the_permission),
        TURN_FIXTURE_TEST(ends_with_the_channel),
        TURN_FIXTURE_TEST(all_end_with_the_allocation),
        TURN_FIXTURE_TEST(ends_with_the_family),
        TURN_FIXTURE_TEST(a_relayed_address_of_our_own_is_turned),
        TURN_FIXTURE_TEST(a_resting_channel_is_closed),
        TURN_FIXTURE_TEST(takeover_unbinds_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
