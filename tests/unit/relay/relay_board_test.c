// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_board.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { WORKERS = 3 };

static struct relay_board board;

static int open_board(void **state)
{
    (void)state;
    return relay_board_open(&board, WORKERS);
}

static int close_board(void **state)
{
    (void)state;
    relay_board_close(&board);
    relay_board_close(&board);
    return board.fd == -1 ? 0 : -1;
}

static bool has_rung(void)
{
    struct pollfd poller = {.fd = board.fd, .events = POLLIN};

    return poll(&poller, 1, 0) == 1;
}

static void post(uint32_t worker, uint64_t number)
{
    const struct relay_counts counts = {.turn.binding_requests = number};

    relay_board_post(&board, worker, &counts);
}

static void rings_when_all_have_answered(void **state)
{
    (void)state;
    for (uint64_t round = 1; round < 4; round++) {
        relay_board_ask(&board);
        assert_int_equal(relay_board_awaited(&board), WORKERS);
        for (uint32_t i = 0; i < WORKERS; i++) {
            assert_false(has_rung());
            post(i, round * 10);
        }
        assert_true(has_rung());
        relay_board_hush(&board);
        assert_false(has_rung());
        assert_int_equal(relay_board_awaited(&board), 0);
        assert_int_equal(relay_board_sum(&board).turn.binding_requests, round * 10 * WORKERS);
    }
}

// Of the worker that hangs what it posted last is there, and its late answer counts once.
static void a_worker_that_hangs_holds_nobody_up(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WORKERS; i++) {
        post(i, 1);
    }
    relay_board_ask(&board);
    post(0, 10);
    post(0, 11); // twice is once
    post(1, 100);
    assert_int_equal(relay_board_awaited(&board), 1);
    assert_false(has_rung());
    assert_int_equal(relay_board_sum(&board).turn.binding_requests, 112);
    relay_board_ask(&board);
    post(2, 1000);
    assert_int_equal(relay_board_awaited(&board), 2);
    post(2, 1001);
    assert_int_equal(relay_board_awaited(&board), 2);
    post(0, 12);
    post(1, 101);
    assert_true(has_rung());
    assert_int_equal(relay_board_sum(&board).turn.binding_requests, 1114);
}

static void tells_of_the_first_that_failed(void **state)
{
    (void)state;
    assert_int_equal(relay_board_error(&board), 0);
    relay_board_end(&board, 1, 0);
    assert_true(has_rung());
    assert_int_equal(relay_board_error(&board), 0);
    relay_board_end(&board, 2, -EBADF);
    relay_board_end(&board, 0, -ENOMEM);
    assert_int_equal(relay_board_error(&board), -EBADF);
}

static void who_has_ended_is_not_awaited(void **state)
{
    (void)state;
    relay_board_ask(&board);
    relay_board_end(&board, 1, 0);
    assert_int_equal(relay_board_awaited(&board), WORKERS - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rings_when_all_have_answered, open_board, close_board),
        cmocka_unit_test_setup_teardown(a_worker_that_hangs_holds_nobody_up, open_board,
                                        close_board),
        cmocka_unit_test_setup_teardown(tells_of_the_first_that_failed, open_board, close_board),
        cmocka_unit_test_setup_teardown(who_has_ended_is_not_awaited, open_board, close_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
