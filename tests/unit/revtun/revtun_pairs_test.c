// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_pairs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/dies.h"

enum { PAIRS = 3 };

static struct revtun_pairs_entry memory[PAIRS];

static struct revtun_pairs begin(void)
{
    struct revtun_pairs pairs;

    assert_int_equal(revtun_pairs_size(PAIRS), sizeof memory);
    revtun_pairs_init(&pairs, memory, PAIRS);
    return pairs;
}

static uint32_t take(struct revtun_pairs *pairs, uint32_t holder)
{
    uint32_t pair = REVTUN_PAIRS_NONE;

    assert_true(revtun_pairs_take(pairs, holder, &pair));
    return pair;
}

static void ports_lie_as_the_original_has_them(void **state)
{
    (void)state;
    assert_int_equal(revtun_pairs_reverse_port(12000, 0), 12001);
    assert_int_equal(revtun_pairs_reverse_port(12000, 99), 12100);
    assert_int_equal(revtun_pairs_public_port(12000, 100, 0), 12101);
    assert_int_equal(revtun_pairs_public_port(12000, 100, 99), 12200);
    assert_int_equal(revtun_pairs_reverse_port(5000, 0), 5001); // --port-count 2
    assert_int_equal(revtun_pairs_public_port(5000, 1, 0), 5002);
}

static void they_end_at_the_last_port(void **state)
{
    (void)state;
    assert_true(revtun_pairs_fit(65533, 1));
    assert_int_equal(revtun_pairs_public_port(65533, 1, 0), 65535);
    assert_false(revtun_pairs_fit(65534, 1));
    assert_true(revtun_pairs_fit(65535, 0));
    assert_true(revtun_pairs_fit(1, 32767));
    assert_false(revtun_pairs_fit(1, 32768));
    assert_false(revtun_pairs_fit(1, UINT32_MAX));
    assert_false(revtun_pairs_fit(0, 1));
}

static void are_taken_in_the_order_of_their_ports_at_first(void **state)
{
    struct revtun_pairs pairs = begin();
    uint32_t none = 77;

    (void)state;
    for (uint32_t i = 0; i < PAIRS; i++) {
        assert_int_equal(revtun_pairs_holder(&pairs, i), REVTUN_PAIRS_NONE);
        assert_int_equal(take(&pairs, 10 + i), i);
        assert_int_equal(revtun_pairs_holder(&pairs, i), 10 + i);
    }
    assert_false(revtun_pairs_take(&pairs, 20, &none));
    assert_int_equal(none, 77);
    assert_int_equal(pairs.free_count, 0);
}

// So a pair rests as long as others are free; and when none else is, it is there at once.
static void come_back_least_recently_released_first(void **state)
{
    struct revtun_pairs pairs = begin();

    (void)state;
    take(&pairs, 1);
    take(&pairs, 2);
    revtun_pairs_give(&pairs, 1);
    revtun_pairs_give(&pairs, 0);
    assert_int_equal(take(&pairs, 3), 2);
    assert_int_equal(take(&pairs, 4), 1);
    assert_int_equal(take(&pairs, 5), 0);
    revtun_pairs_give(&pairs, 1);
    assert_int_equal(take(&pairs, 6), 1);
    assert_int_equal(revtun_pairs_holder(&pairs, 1), 6);
}

static void none_are_no_error(void **state)
{
    struct revtun_pairs pairs;
    uint32_t pair = 0;

    (void)state;
    revtun_pairs_init(&pairs, memory, 0);
    assert_false(revtun_pairs_take(&pairs, 1, &pair));
}

static void give_one_twice(void *context)
{
    struct revtun_pairs *pairs = context;

    revtun_pairs_give(pairs, 0);
    revtun_pairs_give(pairs, 0);
}

static void are_given_back_once(void **state)
{
    struct revtun_pairs pairs = begin();

    (void)state;
    take(&pairs, 1);
    assert_true(dies(give_one_twice, &pairs));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ports_lie_as_the_original_has_them),
        cmocka_unit_test(they_end_at_the_last_port),
        cmocka_unit_test(are_taken_in_the_order_of_their_ports_at_first),
        cmocka_unit_test(come_back_least_recently_released_first),
        cmocka_unit_test(none_are_no_error),
        cmocka_unit_test(are_given_back_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
