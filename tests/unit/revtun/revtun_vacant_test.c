// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_vacant.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/rng.h"

struct world {
    void *memory;
    struct revtun_vacant vacant;
};

static struct world open_world(uint32_t count)
{
    struct world world = {.memory = calloc(1, revtun_vacant_size(count))};

    assert_non_null(world.memory);
    revtun_vacant_init(&world.vacant, world.memory, count);
    return world;
}

static void finds_the_one_left_the_longest_ago(void **state)
{
    struct world world = open_world(5);
    struct revtun_vacant *vacant = &world.vacant;

    (void)state;
    assert_int_equal(revtun_vacant_find(vacant, 0, 4), REVTUN_VACANT_NONE);
    revtun_vacant_add(vacant, 3, 7);
    revtun_vacant_add(vacant, 0, 9);
    revtun_vacant_add(vacant, 4, 8);
    assert_int_equal(revtun_vacant_find(vacant, 0, 4), 3);
    assert_int_equal(revtun_vacant_find(vacant, 0, 2), 0);
    assert_int_equal(revtun_vacant_find(vacant, 4, 4), 4);
    assert_int_equal(revtun_vacant_find(vacant, 1, 2), REVTUN_VACANT_NONE);
    revtun_vacant_remove(vacant, 3);
    revtun_vacant_remove(vacant, 2); // which was not
    assert_int_equal(revtun_vacant_find(vacant, 0, 4), 4);
    revtun_vacant_add(vacant, 4, 10); // it was left again
    assert_int_equal(revtun_vacant_find(vacant, 0, 4), 0);
    assert_int_equal(revtun_vacant_older(vacant, 4, 0), 0);
    assert_int_equal(revtun_vacant_older(vacant, REVTUN_VACANT_NONE, 4), 4);
    assert_int_equal(revtun_vacant_older(vacant, 4, REVTUN_VACANT_NONE), 4);
    free(world.memory);
}

static uint32_t find_naively(const uint64_t *left, uint32_t first, uint32_t last)
{
    uint32_t found = REVTUN_VACANT_NONE;

    for (uint32_t i = first; i <= last; i++) {
        if (left[i] != 0 && (found == REVTUN_VACANT_NONE || left[i] < left[found])) {
            found = i;
        }
    }
    return found;
}

// Of any number of ports, also one that is no power of two, and one.
static void finds_what_a_search_finds(void **state)
{
    enum { COUNT_MAX = 70, STEPS = 300 };
    struct rng rng = rng_init(rng_seed("revtun_vacant_test"));

    (void)state;
    for (uint32_t count = 1; count <= COUNT_MAX; count++) {
        struct world world = open_world(count);
        uint64_t left[COUNT_MAX] = {0};
        for (uint64_t step = 1; step <= STEPS; step++) {
            const uint32_t index = (uint32_t)rng_below(&rng, count);
            left[index] = rng_chance(&rng, 50) ? step : 0;
            if (left[index] != 0) {
                revtun_vacant_add(&world.vacant, index, step);
            } else {
                revtun_vacant_remove(&world.vacant, index);
            }
            const uint32_t first = (uint32_t)rng_below(&rng, count);
            const uint32_t last = first + (uint32_t)rng_below(&rng, count - first);
            assert_int_equal(revtun_vacant_find(&world.vacant, first, last),
                             find_naively(left, first, last));
        }
        free(world.memory);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_one_left_the_longest_ago),
        cmocka_unit_test(finds_what_a_search_finds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
