// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_permission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

// Two allocations to hang permissions on.
static void make_two(struct turn_fixture *f, uint32_t *one, uint32_t *two)
{
    struct turn_tuple tuple = f->tuple;

    *one = turn_allocation_create(f->server, &tuple, ADDR_IP4);
    tuple.client.port++;
    *two = turn_allocation_create(f->server, &tuple, ADDR_IP4);
}

static void install(struct turn_fixture *f, uint32_t owner, const struct addr *peer)
{
    assert_int_equal(turn_permission_install(f->server, owner, peer, f->now), TURN_REFUSAL_NONE);
}

static void is_for_one_allocation_and_all_ports_of_an_address(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct addr other_port = turn_fixture_addr("192.0.2.9", 10);
    struct addr other_ip = turn_fixture_addr("192.0.2.10", 9);
    struct addr mapped = turn_fixture_addr("::ffff:192.0.2.9", 9);
    uint32_t one = 0;
    uint32_t two = 0;

    make_two(f, &one, &two);
    install(f, one, &peer);
    uint32_t index = turn_permission_find(f->server, one, &peer);
    assert_int_not_equal(index, POOL_NONE);
    assert_int_equal(turn_permission_find(f->server, one, &other_port), index);
    assert_int_equal(turn_permission_find(f->server, one, &other_ip), POOL_NONE);
    assert_int_equal(turn_permission_find(f->server, one, &mapped), POOL_NONE);
    assert_int_equal(turn_permission_find(f->server, two, &peer), POOL_NONE);
}

static void lives_for_300_s(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    turn_fixture_allocate(f);
    uint32_t owner = turn_allocation_find(f->server, &f->tuple);
    install(f, owner, &peer);
    turn_fixture_wait(f, 300 * SECOND_NS - 1);
    assert_int_not_equal(turn_permission_find(f->server, owner, &peer), POOL_NONE);
    turn_fixture_wait(f, 1);
    assert_int_equal(turn_permission_find(f->server, owner, &peer), POOL_NONE);
    assert_int_equal(f->command_count, 0); // nobody has to know
}

static void installing_again_refreshes(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    turn_fixture_allocate(f);
    uint32_t owner = turn_allocation_find(f->server, &f->tuple);
    install(f, owner, &peer);
    turn_fixture_wait(f, 299 * SECOND_NS);
    peer.port = 10;
    install(f, owner, &peer);
    assert_int_equal(turn_fixture_gauges(f).permissions, 1);
    turn_fixture_wait(f, 300 * SECOND_NS - 1);
    assert_int_equal(turn_fixture_gauges(f).permissions, 1);
    turn_fixture_wait(f, 1);
    assert_int_equal(turn_fixture_gauges(f).permissions, 0);
}

static void room_is_the_allocations_and_the_pools(void **state)
{
    struct turn_fixture *f = *state; // 6 for each allocation, 16 in all
    struct addr peer = turn_fixture_addr("192.0.2.0", 9);
    uint32_t owners[3];
    uint32_t none = 0;

    make_two(f, &owners[0], &owners[1]);
    f->tuple.client.port = 1;
    make_two(f, &owners[2], &none);
    for (uint32_t i = 0; i < 16; i++) {
        peer.ip[3] = (uint8_t)i;
        install(f, owners[i / 6], &peer);
    }
    peer.ip[3] = 99;
    assert_int_equal(turn_permission_install(f->server, owners[0], &peer, f->now),
                     TURN_REFUSAL_ALLOCATIONS_PERMISSIONS);
    assert_int_equal(turn_permission_install(f->server, owners[2], &peer, f->now),
                     TURN_REFUSAL_PERMISSIONS); // it has 4, but there are no more
    peer.ip[3] = 15;
    turn_permission_delete(f->server, turn_permission_find(f->server, owners[2], &peer));
    peer.ip[3] = 99;
    install(f, owners[2], &peer);
    assert_int_equal(turn_permission_install(f->server, owners[0], &peer, f->now),
                     TURN_REFUSAL_ALLOCATIONS_PERMISSIONS);
}

static void deleting_one_leaves_the_others(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.0", 9);
    uint32_t one = 0;
    uint32_t two = 0;

    make_two(f, &one, &two);
    for (uint8_t gone = 0; gone < 6; gone++) {
        for (uint8_t i = 0; i < 6; i++) {
            peer.ip[3] = i;
            install(f, one, &peer);
        }
        peer.ip[3] = gone;
        turn_permission_delete(f->server, turn_permission_find(f->server, one, &peer));
        for (uint8_t i = 0; i < 6; i++) {
            peer.ip[3] = i;
            assert_int_equal(turn_permission_find(f->server, one, &peer) == POOL_NONE, i == gone);
        }
        assert_int_equal(turn_allocation_at(f->server, one)->permission_count, 5);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(is_for_one_allocation_and_all_ports_of_an_address),
        TURN_FIXTURE_TEST(lives_for_300_s),
        TURN_FIXTURE_TEST(installing_again_refreshes),
        TURN_FIXTURE_TEST(room_is_the_allocations_and_the_pools),
        TURN_FIXTURE_TEST(deleting_one_leaves_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
