// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_sweep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

enum {
    FORBIDDEN = 403,
    RULES_MAX = 8,
};

// The rules of the fixture, and one that denies some more.
struct denying {
    struct turn_config config;
    struct turn_peer_rule rules[RULES_MAX];
};

static void deny(struct denying *denying, const char *prefix)
{
    denying->config = turn_fixture_config();
    assert_true(denying->config.rule_count < RULES_MAX);
    for (size_t i = 0; i < denying->config.rule_count; i++) {
        denying->rules[i] = denying->config.rules[i];
    }
    struct turn_peer_rule *rule = &denying->rules[denying->config.rule_count++];
    rule->is_allowed = false;
    assert_int_equal(cidr_read(bytes_of_text(prefix), &rule->cidr), CIDR_OK);
    denying->config.rules = denying->rules;
}

static void a_denied_peer_loses_permission_and_channel_at_once(void **state)
{
    const struct addr denied = turn_fixture_addr("192.0.2.9", 9);
    const struct addr other = turn_fixture_addr("192.0.2.200", 9);
    struct turn_fixture *f = *state;
    struct denying denying;

    const struct pool_ref allocation = turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &denied), TURN_FIXTURE_SUCCESS);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &other), TURN_FIXTURE_SUCCESS);
    deny(&denying, "192.0.2.0/28");
    turn_fixture_adopt(f, &denying.config);
    assert_int_equal(turn_fixture_gauges(f).permissions, 1);
    assert_int_equal(turn_fixture_gauges(f).channels, 1);
    assert_int_equal(turn_server_stats(f->server)->permissions_revoked, 1);
    assert_int_equal(turn_server_stats(f->server)->channels_revoked, 1);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "no"), TURN_DROP);
    assert_int_equal(turn_fixture_send_data(f, &denied, "no"), TURN_DROP);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &denied, bytes_of_text("no")),
                     TURN_DROP);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &denied), FORBIDDEN);
    assert_int_equal(turn_fixture_permit(f, &denied), FORBIDDEN);
    assert_int_equal(turn_fixture_chandata(f, 0x4001, "yes"), TURN_FORWARD);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other), 400); // it has another number
}

static void the_fast_path_is_told(void **state)
{
    const struct addr denied = turn_fixture_addr("192.0.2.9", 9);
    const struct addr other = turn_fixture_addr("192.0.2.200", 9);
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct denying denying;

    config.has_fast_path = true;
    turn_fixture_restart(f, &config);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &denied), TURN_FIXTURE_SUCCESS);
    const uint32_t channel = f->commands[0].bind.channel;
    assert_int_equal(f->commands[0].type, TURN_COMMAND_BIND);
    assert_int_equal(turn_fixture_bind(f, 0x4001, &other), TURN_FIXTURE_SUCCESS);
    deny(&denying, "192.0.2.9/32");
    turn_fixture_adopt(f, &denying.config);
    assert_int_equal(f->command_count, 1);
    assert_int_equal(f->commands[0].type, TURN_COMMAND_UNBIND);
    assert_int_equal(f->commands[0].unbind.channel, channel);
}

// What leads to other clients of the relay is theirs to allow.
static void own_addresses_stay(void **state)
{
    struct turn_fixture *f = *state;
    const struct turn_tuple alice = f->tuple;
    struct denying denying;

    turn_fixture_allocate(f);
    f->tuple.client.port++;
    turn_fixture_allocate(f);
    const struct addr other = turn_fixture_address(f, STUN_ATTR_XOR_RELAYED_ADDRESS);
    f->tuple = alice;
    assert_int_equal(turn_fixture_bind(f, 0x4000, &other), TURN_FIXTURE_SUCCESS);
    deny(&denying, "203.0.113.0/24");
    turn_fixture_adopt(f, &denying.config);
    assert_int_equal(turn_fixture_gauges(f).permissions, 1);
    assert_int_equal(turn_fixture_gauges(f).channels, 1);
}

// At other ports they are peers like any.
static void channels_to_the_own_host_do_not(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct denying open;

    deny(&open, "203.0.113.7/32");
    open.rules[open.config.rule_count - 1].is_allowed = true;
    turn_fixture_adopt(f, &open.config);
    turn_fixture_allocate(f);
    const struct addr own = addr_with_port(f->config.public_ip4, 9);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &own), TURN_FIXTURE_SUCCESS);
    turn_fixture_adopt(f, &config);
    assert_int_equal(turn_fixture_gauges(f).permissions, 1);
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &own), FORBIDDEN);
}

static void firezones_clients_keep_private_peers_until_a_rule_denies_them(void **state)
{
    const struct addr peer = turn_fixture_addr("10.1.2.3", 9);
    struct turn_fixture *f = *state;
    struct denying denying;

    turn_fixture_become_firezone(f);
    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    deny(&denying, "10.2.0.0/16");
    denying.config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    turn_fixture_adopt(f, &denying.config);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "yes"), TURN_FORWARD);
    deny(&denying, "10.1.0.0/16");
    denying.config.stamp_secret = bytes_of_text(turn_fixture_stamp);
    turn_fixture_adopt(f, &denying.config);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "no"), TURN_DROP);
    assert_int_equal(turn_fixture_gauges(f).channels, 0);
}

static struct addr peer_at(uint32_t number)
{
    const uint8_t ip[] = {198, 18, (uint8_t)(number >> 8), (uint8_t)number};
    return addr_ip4(ip, 9);
}

// Permits `count` peers of 198.18.0.0/16, some in a request.
static void permit_many(struct turn_fixture *f, uint32_t count)
{
    struct turn_fixture_draft draft;

    for (uint32_t i = 0; i < count;) {
        turn_fixture_begin(f, &draft, STUN_REQUEST, STUN_CREATE_PERMISSION);
        for (uint32_t of_request = 0; of_request < 100 && i < count; of_request++, i++) {
            const struct addr peer = peer_at(i);
            turn_fixture_add_peer(&draft, &peer);
        }
        assert_int_equal(turn_fixture_ask(f, &draft), TURN_FIXTURE_SUCCESS);
    }
}

static void many_are_taken_step_by_step_and_pass_nothing_meanwhile(void **state)
{
    enum { COUNT = TURN_SWEEP_STEP + TURN_SWEEP_STEP / 2 };
    const struct addr last = peer_at(COUNT - 1);
    struct turn_fixture *f = *state;
    struct denying open;
    struct denying closed;

    deny(&open, "198.19.0.0/16");
    open.rules[open.config.rule_count - 1] =
        (struct turn_peer_rule){.cidr = {addr_with_port(peer_at(0), 0), 16}, .is_allowed = true};
    open.config.max_permissions = 2 * COUNT;
    open.config.permissions_per_allocation = COUNT + 1;
    turn_fixture_restart(f, &open.config);
    const struct pool_ref allocation = turn_fixture_allocate(f);
    permit_many(f, COUNT);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &last, bytes_of_text("yes")),
                     TURN_FORWARD);
    closed = open;
    closed.rules[closed.config.rule_count - 1].is_allowed = false;
    closed.config.rules = closed.rules;
    turn_fixture_adopt(f, &closed.config);
    assert_int_equal(turn_fixture_gauges(f).permissions, COUNT - TURN_SWEEP_STEP);
    assert_true(turn_server_deadline(f->server) > f->now.mono_ns); // packets go first
    assert_true(turn_server_deadline(f->server) < f->now.mono_ns + SECOND_NS / 100);
    assert_int_equal(turn_fixture_from_peer(f, allocation, &last, bytes_of_text("no")), TURN_DROP);
    assert_int_equal(turn_fixture_send_data(f, &last, "no"), TURN_DROP);
    assert_int_equal(turn_fixture_permit(f, &last), FORBIDDEN);
    turn_fixture_wait(f, SECOND_NS / 100);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
    assert_int_equal(turn_server_stats(f->server)->permissions_revoked, COUNT);
    assert_int_equal(turn_sweep_deadline(f->server), NEVER);
}

static void a_second_policy_begins_anew(void **state)
{
    const struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct turn_fixture *f = *state;
    struct turn_config config = turn_fixture_config();
    struct denying denying;

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
    turn_fixture_adopt(f, &config);
    deny(&denying, "192.0.2.9/32");
    turn_fixture_adopt(f, &denying.config);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
    turn_fixture_adopt(f, &config);
    assert_int_equal(turn_fixture_permit(f, &peer), TURN_FIXTURE_SUCCESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(a_denied_peer_loses_permission_and_channel_at_once),
        TURN_FIXTURE_TEST(the_fast_path_is_told),
        TURN_FIXTURE_TEST(own_addresses_stay),
        TURN_FIXTURE_TEST(channels_to_the_own_host_do_not),
        TURN_FIXTURE_TEST(firezones_clients_keep_private_peers_until_a_rule_denies_them),
        TURN_FIXTURE_TEST(many_are_taken_step_by_step_and_pass_nothing_meanwhile),
        TURN_FIXTURE_TEST(a_second_policy_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
