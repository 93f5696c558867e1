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
    const uint64_t end_ns = io_clock_mono_ns() + SECOND_NS / 50;

    (void)state;
    pthread_mutex_lock(&lock);
    while (io_condition_wait(&condition, &lock, end_ns)) {
    }
    assert_in_range(io_clock_mono_ns(), end_ns, end_ns + 10 * SECOND_NS);
    assert_false(io_condition_wait(&condition, &lock, 0)); // it was over before it began
    pthread_mutex_unlock(&lock);
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
    const uint64_t end_ns = io_clock_mono_ns() + 30 * SECOND_NS;
    pthread_t thread;
    bool is_time_left = true;

    (void)state;
    pthread_mutex_lock(&lock);
    assert_int_equal(pthread_create(&thread, NULL, come, NULL), 0);
    while (is_time_left && !is_there) {
        is_time_left = io_condition_wait(&condition, &lock, end_ns);
    }
    pthread_mutex_unlock(&lock);
    assert_true(is_time_left);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(waits_for_as_long_as_it_was_told, setup),
        cmocka_unit_test_setup(is_woken, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
