// SPDX-License-Identifier: Apache-2.0
#include "bpf/rate.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
    NOW = 1000,
    TIME = 7, // of what is taken
    THREADS = 4,
    TAKES = 5000000, // by each: so many that they meet, however busy the machine is
};

static void holds_a_second(void **state)
{
    __u64 full_at = 0;

    (void)state;
    assert_true(rate_has(&full_at, NOW, RELAY_ABI_SECOND_UNITS + 1)); // it is full
    rate_take(&full_at, NOW, RELAY_ABI_SECOND_UNITS - TIME);
    assert_int_equal(full_at, NOW + RELAY_ABI_SECOND_UNITS - TIME);
    assert_true(rate_has(&full_at, NOW, TIME));
    assert_false(rate_has(&full_at, NOW, TIME + 1));
    assert_true(rate_has(&full_at, NOW + 1, TIME + 1));
    rate_take(&full_at, NOW, TIME);
    assert_false(rate_has(&full_at, NOW, 1));
    assert_true(rate_has(&full_at, full_at, RELAY_ABI_SECOND_UNITS));
    rate_take(&full_at, 2 * RELAY_ABI_SECOND_UNITS, TIME); // what was full does not get fuller
    assert_int_equal(full_at, 2 * RELAY_ABI_SECOND_UNITS + TIME);
}

static __u64 shared;

static void *take_all(void *context)
{
    const __u64 now = NOW;

    (void)context;
    for (unsigned i = 0; i < TAKES; i++) {
        rate_take(&shared, now, TIME);
    }
    return NULL;
}

// Whoever is the first finds it full, and sets it; whoever meets that adds to it.
static void loses_nothing_that_is_taken_at_once(void **state)
{
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, take_all, NULL), 0);
    }
    for (size_t i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(shared, NOW + (__u64)THREADS * TAKES * TIME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_a_second),
        cmocka_unit_test(loses_nothing_that_is_taken_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
