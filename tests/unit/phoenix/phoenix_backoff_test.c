// SPDX-License-Identifier: Apache-2.0
#include "phoenix/phoenix_backoff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/macro.h"

enum { MIDDLE = 1U << 31 }; // neither shorter nor longer

#define MILLI_NS (SECOND_NS / 1000)

static void assert_near(uint64_t got, uint64_t wanted)
{
    assert_in_range(got, wanted - wanted / 1000, wanted + wanted / 1000);
}

static void grows_by_half_up_to_a_minute(void **state)
{
    static const uint64_t wanted_ms[] = {500,   750,   1125,  1687,  2531,  3796,  5695, 8542,
                                         12814, 19221, 28832, 43248, 60000, 60000, 60000};
    struct phoenix_backoff backoff = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wanted_ms); i++) {
        assert_near(phoenix_backoff_next(&backoff, MIDDLE), wanted_ms[i] * MILLI_NS);
    }
}

static void is_made_shorter_or_longer_by_its_half_at_most(void **state)
{
    struct phoenix_backoff least = {0};
    struct phoenix_backoff most = {0};

    (void)state;
    assert_near(phoenix_backoff_next(&least, 0), 250 * MILLI_NS);
    assert_near(phoenix_backoff_next(&most, UINT32_MAX), 750 * MILLI_NS);
    assert_int_equal(least.interval_ns, most.interval_ns);
    for (int i = 0; i < 100; i++) {
        IGNORE(phoenix_backoff_next(&least, 0)); // only its growing counts
        IGNORE(phoenix_backoff_next(&most, UINT32_MAX));
    }
    assert_int_equal(phoenix_backoff_next(&least, 0), 30 * SECOND_NS);
    assert_int_equal(phoenix_backoff_next(&most, UINT32_MAX), 60 * SECOND_NS);
}

static void is_nothing_after_a_join_that_is_lost(void **state)
{
    struct phoenix_backoff backoff = {0};

    (void)state;
    IGNORE(phoenix_backoff_next(&backoff, MIDDLE)); // before the first join
    assert_int_equal(phoenix_backoff_after_join(&backoff, SECOND_NS, SECOND_NS, MIDDLE), 0);
}

static void is_nothing_only_once_in_ten_seconds(void **state)
{
    struct phoenix_backoff backoff = {0};

    (void)state;
    assert_int_equal(phoenix_backoff_after_join(&backoff, SECOND_NS, 0, MIDDLE), 0);
    assert_near(phoenix_backoff_after_join(&backoff, 2 * SECOND_NS, SECOND_NS, MIDDLE),
                500 * MILLI_NS);
    assert_near(phoenix_backoff_after_join(&backoff, 4 * SECOND_NS, 3 * SECOND_NS, MIDDLE),
                750 * MILLI_NS);
    assert_int_equal(phoenix_backoff_after_join(&backoff, 11 * SECOND_NS, 10 * SECOND_NS, MIDDLE),
                     0);
    assert_near(phoenix_backoff_next(&backoff, MIDDLE), 1125 * MILLI_NS);
}

static void begins_anew_after_a_join_of_ten_seconds(void **state)
{
    struct phoenix_backoff backoff = {0};

    (void)state;
    for (int i = 0; i < 20; i++) {
        IGNORE(phoenix_backoff_next(&backoff, MIDDLE)); // only its growing counts
    }
    assert_int_equal(phoenix_backoff_after_join(&backoff, 30 * SECOND_NS, 20 * SECOND_NS, MIDDLE),
                     0);
    assert_near(phoenix_backoff_next(&backoff, MIDDLE), 500 * MILLI_NS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_by_half_up_to_a_minute),
        cmocka_unit_test(is_made_shorter_or_longer_by_its_half_at_most),
        cmocka_unit_test(is_nothing_after_a_join_that_is_lost),
        cmocka_unit_test(is_nothing_only_once_in_ten_seconds),
        cmocka_unit_test(begins_anew_after_a_join_of_ten_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
