// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_allocation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

static struct turn_tuple tuple_of(const struct turn_fixture *f, uint16_t port)
{
    struct turn_tuple tuple = f->tuple;

    tuple.client.port = port;
    return tuple;
}

static void is_found_by_its_5_tuple_alone(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_tuple tuple = f->tuple;
    struct turn_tuple other;

    uint32_t index = turn_allocation_create(f->server, &tuple, 77);
    assert_int_not_equal(index, POOL_NONE);
    assert_int_equal(turn_allocation_find(f->server, &tuple), index);
    other = tuple;
    other.client.port++;
    assert_int_equal(turn_allocation_find(f->server, &other), POOL_NONE);
    other = tuple;
    other.client.ip[0]++;
    assert_int_equal(turn_allocation_find(f->server, &other), POOL_NONE);
    other = tuple;
    other.server.port++;
    assert_int_equal(turn_allocation_find(f->server, &other), POOL_NONE);
    other = tuple;
    other.server.ip[0]++;
    assert_int_equal(turn_allocation_find(f->server, &other), POOL_NONE);
}

static void opening_holds_no_port_and_no_timer(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_command command;

    uint32_t index = turn_allocation_create(f->server, &f->tuple, 77);
    assert_int_equal(turn_allocation_at(f->server, index)->state, TURN_ALLOCATION_OPENING);
    assert_int_equal(turn_fixture_gauges(f).ports_in_use, 0);
    assert_int_equal(turn_fixture_gauges(f).timers, 0);
    turn_allocation_delete(f->server, index, TURN_EVENT_DELETED);
    assert_false(turn_server_take(f->server, &command)); // no socket, nothing to close or to tell
    assert_true(turn_fixture_is_empty(f));
    assert_int_equal(turn_allocation_find(f->server, &f->tuple), POOL_NONE);
}

static void lives_once_opened(void **state)
{
    struct turn_fixture *f = *state;
    uint16_t port = 0;

    uint32_t index = turn_allocation_create(f->server, &f->tuple, 77);
    assert_true(turn_commons_take_port(f->server->commons, f->now, TURN_PORTS_ANY,
                                       &f->server->random, &port));
    struct turn_allocation *allocation = turn_allocation_at(f->server, index);
    allocation->families = TURN_ALLOCATION_IP6;
    assert_int_equal(turn_allocation_find_port(f->server, port), POOL_NONE);
    turn_allocation_opened(f->server, index, port, f->now, 700);
    assert_int_equal(allocation->state, TURN_ALLOCATION_LIVE);
    assert_int_equal(allocation->granted_s, 700);
    struct addr relayed = turn_allocation_relayed(f->server, allocation, ADDR_IP6);
    assert_true(turn_allocation_has_family(allocation, ADDR_IP6));
    assert_false(turn_allocation_has_family(allocation, ADDR_IP4));
    assert_int_equal(turn_allocation_find_port(f->server, port), index);
    assert_true(addr_same_ip(&relayed, &f->config.public_ip6));
    assert_int_equal(relayed.port, port);
    assert_true(turn_server_deadline(f->server) == f->now.mono_ns + 700 * SECOND_NS);
    turn_allocation_refresh(f->server, index, f->now, 900);
    assert_true(turn_server_deadline(f->server) == f->now.mono_ns + 900 * SECOND_NS);
    assert_int_equal(allocation->granted_s, 700); // what a retransmitted Allocate is told
}

static void there_are_as_many_as_configured(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_tuple tuple;

    for (uint16_t i = 0; i < 8; i++) {
        tuple = tuple_of(f, (uint16_t)(1000 + i));
        assert_int_not_equal(turn_allocation_create(f->server, &tuple, 77), POOL_NONE);
    }
    tuple = tuple_of(f, 2000);
    assert_int_equal(turn_allocation_create(f->server, &tuple, 77), POOL_NONE);
    for (uint16_t i = 0; i < 8; i++) { // each is still found
        tuple = tuple_of(f, (uint16_t)(1000 + i));
        uint32_t index = turn_allocation_find(f->server, &tuple);
        assert_int_not_equal(index, POOL_NONE);
        assert_int_equal(turn_allocation_at(f->server, index)->tuple.client.port, 1000 + i);
    }
}

static void takes_along_what_hangs_on_it_and_nothing_else(void **state)
{
    struct turn_fixture *f = *state;
    struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    uint32_t kept = turn_allocation_create(f->server, &f->tuple, 77);
    struct turn_tuple tuple = tuple_of(f, 1000);
    uint32_t gone = turn_allocation_create(f->server, &tuple, 77);

    for (uint8_t i = 0; i < 4; i++) {
        peer.ip[3] = i;
        assert_int_equal(turn_permission_install(f->server, kept, &peer, f->now),
                         TURN_REFUSAL_NONE);
        assert_int_equal(turn_permission_install(f->server, gone, &peer, f->now),
                         TURN_REFUSAL_NONE);
        assert_int_equal(
            turn_channel_create(f->server, kept, (uint16_t)(0x4000 + i), &peer, f->now),
            TURN_REFUSAL_NONE);
        assert_int_equal(
            turn_channel_create(f->server, gone, (uint16_t)(0x4000 + i), &peer, f->now),
            TURN_REFUSAL_NONE);
    }
    assert_int_equal(turn_fixture_gauges(f).timers, 16);
    turn_allocation_delete(f->server, gone, TURN_EVENT_EXPIRED);
    assert_int_equal(turn_fixture_gauges(f).timers, 8);
    for (uint8_t i = 0; i < 4; i++) {
        peer.ip[3] = i;
        assert_int_not_equal(turn_permission_find(f->server, kept, &peer), POOL_NONE);
        assert_int_equal(turn_permission_find(f->server, gone, &peer), POOL_NONE);
        assert_int_not_equal(turn_channel_find(f->server, kept, (uint16_t)(0x4000 + i)), POOL_NONE);
        assert_int_equal(turn_channel_find(f->server, gone, (uint16_t)(0x4000 + i)), POOL_NONE);
    }
}

static void old_references_find_nothing(void **state)
{
    struct turn_fixture *f = *state;
    const struct pool *pool = &f->server->allocations.pool;

    uint32_t index = turn_allocation_create(f->server, &f->tuple, 77);
    struct pool_ref old = pool_ref(pool, index);
    turn_allocation_delete(f->server, index, TURN_EVENT_DELETED);
    assert_null(pool_find(pool, old));
    assert_int_equal(turn_allocation_create(f->server, &f->tuple, 77), index);
    assert_null(pool_find(pool, old));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(is_found_by_its_5_tuple_alone),
        TURN_FIXTURE_TEST(opening_holds_no_port_and_no_timer),
        TURN_FIXTURE_TEST(lives_once_opened),
        TURN_FIXTURE_TEST(there_are_as_many_as_configured),
        TURN_FIXTURE_TEST(takes_along_what_hangs_on_it_and_nothing_else),
        TURN_FIXTURE_TEST(old_references_find_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
