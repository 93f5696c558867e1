// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_timers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static struct tunnel_timers timers;
static int called[8];
static int called_count;

static void on_time(struct tunnel_timer *timer)
{
    called[called_count++] = *(int *)timer->context;
}

static void set_again(struct tunnel_timer *timer)
{
    on_time(timer);
    tunnel_timers_set(&timers, timer, 50);
}

static int open_all(void **state)
{
    (void)state;
    called_count = 0;
    return tunnel_timers_open(&timers, 2);
}

static int close_all(void **state)
{
    (void)state;
    tunnel_timers_close(&timers);
    return 0;
}

static void calls_in_the_order_of_time(void **state)
{
    int names[] = {1, 2};
    struct tunnel_timer one = {.fn = on_time, .context = &names[0]};
    struct tunnel_timer two = {.fn = on_time, .context = &names[1]};

    (void)state;
    assert_true(tunnel_timers_deadline(&timers) == NEVER);
    tunnel_timers_set(&timers, &one, 20);
    tunnel_timers_set(&timers, &two, 10);
    assert_true(tunnel_timers_deadline(&timers) == 10);
    tunnel_timers_tick(&timers, 9);
    assert_int_equal(called_count, 0);
    tunnel_timers_tick(&timers, 20);
    assert_int_equal(called_count, 2);
    assert_int_equal(called[0], 2);
    assert_int_equal(called[1], 1);
    assert_true(tunnel_timers_deadline(&timers) == NEVER);
}

static void can_be_moved_and_cleared(void **state)
{
    int name = 1;
    struct tunnel_timer one = {.fn = on_time, .context = &name};

    (void)state;
    tunnel_timers_clear(&timers, &one);
    tunnel_timers_set(&timers, &one, 10);
    tunnel_timers_set(&timers, &one, 30);
    tunnel_timers_tick(&timers, 20);
    assert_int_equal(called_count, 0);
    tunnel_timers_set(&timers, &one, NEVER);
    assert_true(tunnel_timers_deadline(&timers) == NEVER);
    tunnel_timers_set(&timers, &one, 30);
    tunnel_timers_clear(&timers, &one);
    tunnel_timers_tick(&timers, 40);
    assert_int_equal(called_count, 0);
}

static void has_room_again_for_each_that_is_over(void **state)
{
    int name = 1;
    struct tunnel_timer many[5];

    (void)state;
    for (int i = 0; i < 5; i++) {
        many[i] = (struct tunnel_timer){.fn = on_time, .context = &name};
        tunnel_timers_set(&timers, &many[i], 10);
        if (i % 2 == 0) {
            tunnel_timers_clear(&timers, &many[i]);
        } else {
            tunnel_timers_tick(&timers, 10);
        }
    }
    assert_int_equal(called_count, 2);
}

static void may_be_set_again_when_it_is_called(void **state)
{
    int name = 7;
    struct tunnel_timer one = {.fn = set_again, .context = &name};

    (void)state;
    tunnel_timers_set(&timers, &one, 10);
    tunnel_timers_tick(&timers, 20);
    assert_int_equal(called_count, 1);
    assert_true(tunnel_timers_deadline(&timers) == 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(calls_in_the_order_of_time, open_all, close_all),
        cmocka_unit_test_setup_teardown(can_be_moved_and_cleared, open_all, close_all),
        cmocka_unit_test_setup_teardown(has_room_again_for_each_that_is_over, open_all, close_all),
        cmocka_unit_test_setup_teardown(may_be_set_again_when_it_is_called, open_all, close_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
