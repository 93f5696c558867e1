// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_channel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

static uint32_t make(struct turn_fixture *f)
{
    f->tuple.client.port++;
    return turn_allocation_create(f->server, &f->tuple, ADDR_IP4);
}

static void create(struct turn_fixture *f, uint32_t owner, uint16_t number, const struct addr *peer)
{
    assert_int_equal(turn_channel_create(f->server, owner, number, peer, f->now),
                     TURN_REFUSAL_NONE);
}

static void is_found_by_number_and_by_peer(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct addr other_port = turn_fixture_addr("192.0.2.9", 10);
    uint32_t one = make(f);
    uint32_t two = make(f);

    create(f, one, 0x4001, &peer);
    uint32_t index = turn_channel_find(f->server, one, 0x4001);
    assert_int_not_equal(index, POOL_NONE);
    assert_int_equal(turn_channel_find_peer(f->server, one, &peer), index);
    assert_int_equal(turn_channel_find(f->server, one, 0x4002), POOL_NONE);
    assert_int_equal(turn_channel_find(f->server, one, 0), POOL_NONE);
    assert_int_equal(turn_channel_find_peer(f->server, one, &other_port), POOL_NONE);
    assert_int_equal(turn_channel_find(f->server, two, 0x4001), POOL_NONE);
    assert_int_equal(turn_channel_find_peer(f->server, two, &peer), POOL_NONE);
    assert_int_equal(turn_channel_at(f->server, index)->number, 0x4001);
    assert_true(addr_equal(&turn_channel_at(f->server, index)->peer, &peer));
}

static void lives_for_600_s(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);

    turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_refresh(f, 3600), TURN_FIXTURE_SUCCESS);
    uint32_t owner = turn_allocation_find(f->server, &f->tuple);
    create(f, owner, 0x4000, &peer);
    turn_fixture_wait(f, 500 * SECOND_NS);
    turn_channel_refresh(f->server, turn_channel_find(f->server, owner, 0x4000), f->now);
    turn_fixture_wait(f, 600 * SECOND_NS - 1);
    assert_int_not_equal(turn_channel_find(f->server, owner, 0x4000), POOL_NONE);
    turn_fixture_wait(f, 1);
    assert_int_equal(turn_channel_find(f->server, owner, 0x4000), POOL_NONE);
    assert_int_equal(turn_channel_find_peer(f->server, owner, &peer), POOL_NONE);
    assert_int_equal(f->command_count, 0);
}

static void room_is_the_allocations_and_the_pools(void **state)
{
    struct turn_fixture *f = *state; // 4 for each allocation, 16 in all
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    uint32_t owners[5];

    for (size_t i = 0; i < COUNT_OF(owners); i++) {
        owners[i] = make(f);
    }
    for (uint16_t i = 0; i < 16; i++) {
        peer.port = (uint16_t)(i + 1);
        create(f, owners[i / 4], (uint16_t)(0x4000 + i), &peer);
    }
    peer.port = 99;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(turn_channel_create(f->server, owners[i], 0x4FFF, &peer, f->now),
                         TURN_REFUSAL_ALLOCATIONS_CHANNELS);
    }
    assert_int_equal(turn_channel_create(f->server, owners[4], 0x4FFF, &peer, f->now),
                     TURN_REFUSAL_CHANNELS); // it has none, but there are no more
    turn_channel_delete(f->server, turn_channel_find(f->server, owners[0], 0x4000));
    create(f, owners[4], 0x4FFF, &peer);
    assert_int_equal(turn_channel_create(f->server, owners[1], 0x4FFF, &peer, f->now),
                     TURN_REFUSAL_ALLOCATIONS_CHANNELS);
}

static void deleting_one_leaves_the_others(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    uint32_t owner = make(f);

    for (uint16_t gone = 0; gone < 4; gone++) {
        for (uint16_t i = 0; i < 4; i++) {
            peer.port = (uint16_t)(i + 1);
            if (turn_channel_find(f->server, owner, (uint16_t)(0x4000 + i)) == POOL_NONE) {
                create(f, owner, (uint16_t)(0x4000 + i), &peer);
            }
        }
        uint16_t number = (uint16_t)(0x4000 + gone);
        turn_channel_delete(f->server, turn_channel_find(f->server, owner, number));
        for (uint16_t i = 0; i < 4; i++) {
            uint32_t index = turn_channel_find(f->server, owner, (uint16_t)(0x4000 + i));
            peer.port = (uint16_t)(i + 1);
            assert_int_equal(turn_channel_find_peer(f->server, owner, &peer), index);
            assert_int_equal(index == POOL_NONE, i == gone);
        }
        assert_int_equal(turn_allocation_at(f->server, owner)->channel_count, 3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(is_found_by_number_and_by_peer),
        TURN_FIXTURE_TEST(lives_for_600_s),
        TURN_FIXTURE_TEST(room_is_the_allocations_and_the_pools),
        TURN_FIXTURE_TEST(deleting_one_leaves_the_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
