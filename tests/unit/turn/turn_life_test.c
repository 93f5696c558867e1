// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_life.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "turn/turn_fixture.h"
#include "turn/turn_server_priv.h"

static void tells_of_an_allocation_what_it_is_and_has_relayed(void **state)
{
    struct turn_fixture *f = *state;
    const struct addr peer = turn_fixture_addr("192.0.2.9", 9);
    struct turn_life life;
    uint32_t index = 0;

    const uint64_t started_ns = f->now.mono_ns;
    const struct pool_ref ref = turn_fixture_allocate(f);
    assert_int_equal(turn_fixture_bind(f, 0x4000, &peer), TURN_FIXTURE_SUCCESS);
    turn_fixture_wait(f, SECOND_NS);
    assert_int_equal(turn_fixture_chandata(f, 0x4000, "hello"), TURN_FORWARD);
    assert_int_equal(turn_fixture_send_data(f, &peer, "world!"), TURN_FORWARD);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(turn_fixture_from_peer(f, ref, &peer, bytes_of_text("seven..")),
                         TURN_FORWARD);
    }
    // What is refused does not count.
    const struct addr other = turn_fixture_addr("192.0.2.10", 9);
    assert_int_equal(turn_fixture_send_data(f, &other, "x"), TURN_DROP);
    assert_int_equal(turn_fixture_from_peer(f, ref, &other, bytes_of_text("x")), TURN_DROP);

    assert_true(turn_life_next(f->server, UINT32_MAX, &index, &life));
    assert_memory_equal(&life.tuple, &f->tuple, sizeof f->tuple);
    assert_int_equal(life.allocation.index, ref.index);
    assert_int_equal(life.allocation.generation, ref.generation);
    assert_true(bytes_equal_text(turn_name_bytes(&life.name), "alice"));
    assert_true(addr_same_ip(&life.relayed[0], &f->config.public_ip4));
    assert_in_range(life.relayed[0].port, 50000, 50099);
    assert_int_equal(life.relayed[1].family, ADDR_NONE);
    assert_int_equal(life.started_ns, started_ns);
    assert_int_equal(life.expires_ns, started_ns + 600 * SECOND_NS);
    assert_int_equal(life.permission_count, 1);
    assert_int_equal(life.channel_count, 1);
    assert_int_equal(life.usage.packets_to_peer, 2);
    assert_int_equal(life.usage.bytes_to_peer, 11);
    assert_int_equal(life.usage.packets_to_client, 3);
    assert_int_equal(life.usage.bytes_to_client, 21);
    assert_false(turn_life_next(f->server, UINT32_MAX, &index, &life));
    assert_int_equal(index, POOL_NONE);

    // And the same once more at its end, when its client has given it back.
    assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
    const struct turn_command_report *report = turn_fixture_report(f, TURN_EVENT_DELETED);
    assert_non_null(report);
    life.permission_count = report->life.permission_count;
    assert_memory_equal(&report->life, &life, sizeof life);
}

static void shows_a_user_by_name_who_hides_it_on_the_way(void **state)
{
    struct turn_fixture *f = *state;
    struct turn_life life;
    uint32_t index = 0;

    f->signing = TURN_FIXTURE_SHA256 | TURN_FIXTURE_SHA_NAMED | TURN_FIXTURE_HIDDEN;
    (void)turn_fixture_allocate(f);
    assert_true(turn_life_next(f->server, UINT32_MAX, &index, &life));
    assert_true(bytes_equal_text(turn_name_bytes(&life.name), "alice"));
}

static void finds_all_that_live_a_few_places_at_a_time(void **state)
{
    enum { COUNT = 9, BOUND = 2 };
    struct turn_fixture *f = *state;
    struct turn_life life;
    uint32_t index = 0;
    uint32_t found_count = 0;
    uint32_t call_count = 0;

    for (uint16_t i = 0; i < COUNT; i++) {
        f->tuple.client.port = (uint16_t)(7000 + i);
        f->user = i % 2 == 0 ? "alice" : "bob";
        f->password = i % 2 == 0 ? "secret" : "hidden";
        (void)turn_fixture_allocate(f);
        if (i % 3 == 0) {
            assert_int_equal(turn_fixture_refresh(f, 0), TURN_FIXTURE_SUCCESS);
        }
    }
    for (; index != POOL_NONE; call_count++) {
        while (turn_life_next(f->server, BOUND, &index, &life)) {
            found_count++;
        }
        assert_true(call_count < COUNT);
    }
    assert_int_equal(found_count, turn_fixture_gauges(f).allocations);
    assert_in_range(found_count, 1, COUNT - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TURN_FIXTURE_TEST(tells_of_an_allocation_what_it_is_and_has_relayed),
        TURN_FIXTURE_TEST(shows_a_user_by_name_who_hides_it_on_the_way),
        TURN_FIXTURE_TEST(finds_all_that_live_a_few_places_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
