// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_board.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/now.h"
#include "io/io_clock.h"

enum { WORKERS = 3, ROUNDS = 50 };

static struct relay_board board;

static int open_board(void **state)
{
    (void)state;
    const int error = relay_board_open(&board, WORKERS);

    for (uint32_t i = 0; error == 0 && i < WORKERS; i++) {
        relay_board_begin(&board, i);
    }
    return error;
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

    assert_true(relay_board_post(&board, worker, relay_board_round(&board), &counts));
}

static uint64_t sum(void)
{
    struct relay_counts counts;

    relay_board_sum(&board, &counts);
    return counts.turn.binding_requests;
}

static void waits_no_longer_when_all_have_answered(void **state)
{
    (void)state;
    for (uint64_t number = 1; number < 4; number++) {
        const uint64_t round = relay_board_ask(&board);
        for (uint32_t i = 0; i < WORKERS; i++) {
            assert_int_equal(relay_board_wait(&board, round, 0), WORKERS - i);
            post(i, number * 10);
        }
        assert_int_equal(relay_board_wait(&board, round, NEVER / 2), 0);
        assert_int_equal(sum(), number * 10 * WORKERS);
    }
    assert_false(has_rung());
}

// Of the worker that hangs what it posted last is there.
static void a_worker_that_hangs_holds_nobody_up_for_long(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < WORKERS; i++) {
        post(i, 1);
    }
    const uint64_t round = relay_board_ask(&board);
    post(0, 10);
    post(0, 11); // twice is once
    post(1, 100);
    const uint64_t began_ns = io_clock_now().mono_ns;
    assert_int_equal(relay_board_wait(&board, round, SECOND_NS / 50), 1);
    assert_in_range(io_clock_now().mono_ns - began_ns, SECOND_NS / 50, 30 * SECOND_NS);
    assert_int_equal(sum(), 112);
}

// Whoever asks again while it hangs waits for the others alone; once it has posted, for it as well.
static void who_was_awaited_in_vain_holds_nobody_up_again(void **state)
{
    const struct relay_counts counts = {.turn.binding_requests = 5};

    (void)state;
    uint64_t round = relay_board_ask(&board);
    post(0, 1);
    post(1, 1);
    assert_int_equal(relay_board_wait(&board, round, 1), 1);
    for (uint64_t i = 0; i < 10; i++) {
        round = relay_board_ask(&board);
        post(0, 1);
        post(1, 1);
        assert_int_equal(relay_board_wait(&board, round, NEVER / 2), 1);
    }
    round = relay_board_ask(&board);
    assert_int_equal(relay_board_wait(&board, round, SECOND_NS / 50), WORKERS);
    // An answer to any question shows that it lives.
    assert_true(relay_board_post(&board, 2, 1, &counts));
    round = relay_board_ask(&board);
    const uint64_t began_ns = io_clock_mono_ns();
    assert_int_equal(relay_board_wait(&board, round, SECOND_NS / 50), WORKERS);
    assert_in_range(io_clock_mono_ns() - began_ns, SECOND_NS / 50, 30 * SECOND_NS);
}

// An answer to an earlier question is none: what it counts may be older.
static void an_answer_is_to_its_own_round(void **state)
{
    const struct relay_counts counts = {.turn.binding_requests = 5};

    (void)state;
    const uint64_t first = relay_board_ask(&board);
    const uint64_t second = relay_board_ask(&board);
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_true(relay_board_post(&board, i, first, &counts));
    }
    assert_int_equal(relay_board_wait(&board, first, 0), 0);
    assert_int_equal(relay_board_wait(&board, second, 0), WORKERS);
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_true(relay_board_post(&board, i, second, &counts));
    }
    assert_int_equal(relay_board_wait(&board, second, 0), 0);
}

static void tells_of_the_first_that_failed(void **state)
{
    const struct relay_counts counts = {0};

    (void)state;
    assert_int_equal(relay_board_error(&board), 0);
    relay_board_end(&board, 1, &counts, 0);
    assert_true(has_rung());
    relay_board_hush(&board);
    assert_false(has_rung());
    assert_int_equal(relay_board_error(&board), 0);
    relay_board_end(&board, 2, &counts, -EBADF);
    relay_board_end(&board, 0, &counts, -ENOMEM);
    assert_true(has_rung());
    assert_int_equal(relay_board_error(&board), -EBADF);
}

static void who_has_ended_is_not_awaited_but_counts(void **state)
{
    const struct relay_counts counts = {.turn.binding_requests = 7};

    (void)state;
    const uint64_t round = relay_board_ask(&board);
    relay_board_end(&board, 1, &counts, 0);
    assert_int_equal(relay_board_wait(&board, round, 0), WORKERS - 1);
    assert_int_equal(sum(), 7);
}

// Whoever adds up, or sleeps with the lock held, does not hold up a worker and its packets.
static void a_worker_does_not_wait_for_who_is_at_the_board(void **state)
{
    const struct relay_counts counts = {.turn.binding_requests = 7};

    (void)state;
    const uint64_t round = relay_board_ask(&board);
    pthread_mutex_lock(&board.lock);
    assert_int_equal(relay_board_round(&board), round);
    assert_false(relay_board_post(&board, 0, round, &counts));
    pthread_mutex_unlock(&board.lock);
    assert_int_equal(relay_board_wait(&board, round, 0), WORKERS);
    assert_true(relay_board_post(&board, 0, round, &counts));
    assert_int_equal(relay_board_wait(&board, round, 0), WORKERS - 1);
    assert_int_equal(sum(), 7);
}

static void *answer_always(void *context)
{
    const uint32_t *worker = context;
    uint64_t answered = 0;

    while (answered < ROUNDS) {
        const uint64_t round = relay_board_round(&board);
        if (round > answered) {
            const struct relay_counts counts = {.turn.binding_requests = round};
            answered = relay_board_post(&board, *worker, round, &counts) ? round : answered;
        }
    }
    return NULL;
}

static void wakes_who_waits(void **state)
{
    uint32_t numbers[WORKERS];
    pthread_t threads[WORKERS];

    (void)state;
    for (uint32_t i = 0; i < WORKERS; i++) {
        numbers[i] = i;
        assert_int_equal(pthread_create(&threads[i], NULL, answer_always, &numbers[i]), 0);
    }
    for (uint64_t i = 1; i <= ROUNDS; i++) {
        const uint64_t round = relay_board_ask(&board);
        assert_int_equal(round, i);
        assert_int_equal(relay_board_wait(&board, round, 30 * SECOND_NS), 0);
        assert_int_equal(sum(), WORKERS * i);
    }
    for (uint32_t i = 0; i < WORKERS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(waits_no_longer_when_all_have_answered, open_board,
                                        close_board),
        cmocka_unit_test_setup_teardown(a_worker_that_hangs_holds_nobody_up_for_long, open_board,
                                        close_board),
        cmocka_unit_test_setup_teardown(who_was_awaited_in_vain_holds_nobody_up_again, open_board,
                                        close_board),
        cmocka_unit_test_setup_teardown(an_answer_is_to_its_own_round, open_board, close_board),
        cmocka_unit_test_setup_teardown(tells_of_the_first_that_failed, open_board, close_board),
        cmocka_unit_test_setup_teardown(who_has_ended_is_not_awaited_but_counts, open_board,
                                        close_board),
        cmocka_unit_test_setup_teardown(a_worker_does_not_wait_for_who_is_at_the_board, open_board,
                                        close_board),
        cmocka_unit_test_setup_teardown(wakes_who_waits, open_board, close_board),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
