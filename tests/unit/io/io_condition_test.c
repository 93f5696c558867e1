// SPDX-License-Identifier: Apache-2.0
#include "io/io_condition.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/now.h"
#include "io/io_clock.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition;
static bool is_there;

static int setup(void **state)
{
    (void)state;
    io_condition_init(&condition);
    is_there = false;
    return 0;
}

static void waits_for_as_long_as_it_was_told(void **state)
{
    const uint64_t end_ns = io_clock_mono_ns() + SECOND_NS / 40;
    uint64_t left_ns = SECOND_NS / 40;

    (void)state;
    pthread_mutex_lock(&lock);
    while (left_ns > 0) {
        io_condition_wait(&condition, &lock, &left_ns);
    }
    assert_in_range(io_clock_mono_ns(), end_ns, end_ns + 30 * SECOND_NS);
    io_condition_wait(&condition, &lock, &left_ns); // returns, since it was over before it began
    pthread_mutex_unlock(&lock);
    assert_int_equal(left_ns, 0);
}

static void a_wait_takes_no_more_than_a_slice(void **state)
{
    uint64_t left_ns = 5 * SECOND_NS;

    (void)state;
    pthread_mutex_lock(&lock);
    io_condition_wait(&condition, &lock, &left_ns); // however long this process sleeps here
    pthread_mutex_unlock(&lock);
    assert_in_range(left_ns, 5 * SECOND_NS - IO_CONDITION_SLICE_MS * (SECOND_NS / 1000),
                    5 * SECOND_NS - 1);
}

static void *come(void *context)
{
    (void)context;
    pthread_mutex_lock(&lock);
    is_there = true;
    pthread_cond_signal(&condition);
    pthread_mutex_unlock(&lock);
    return NULL;
}

static void is_woken(void **state)
{
    uint64_t left_ns = 30 * SECOND_NS;
    pthread_t thread;

    (void)state;
    pthread_mutex_lock(&lock);
    assert_int_equal(pthread_create(&thread, NULL, come, NULL), 0);
    while (left_ns > 0 && !is_there) {
        io_condition_wait(&condition, &lock, &left_ns);
    }
    pthread_mutex_unlock(&lock);
    assert_true(is_there);
    assert_true(left_ns > 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(waits_for_as_long_as_it_was_told, setup),
        cmocka_unit_test_setup(a_wait_takes_no_more_than_a_slice, setup),
        cmocka_unit_test_setup(is_woken, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
