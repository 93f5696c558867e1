// SPDX-License-Identifier: Apache-2.0
#include "base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/dies.h"
#include "support/pool_model.h"
#include "support/rng.h"

enum { ITEM_SIZE = 24 }; // bytes

static struct pool new_pool(uint32_t capacity)
{
    struct pool pool;
    void *memory = calloc(1, pool_size(capacity, ITEM_SIZE));

    assert_non_null(memory);
    pool_init(&pool, memory, capacity, ITEM_SIZE);
    return pool;
}

static struct pool_ref take(struct pool *pool)
{
    struct pool_ref ref = {POOL_NONE, 0};

    assert_true(pool_take(pool, &ref));
    return ref;
}

static void finds_an_item_only_while_it_lives(void **state)
{
    struct pool pool = new_pool(2);
    struct pool_ref first = take(&pool);

    (void)state;
    assert_ptr_equal(pool_find(&pool, first), pool_at(&pool, first.index));
    assert_true(pool_has(&pool, first.index));
    assert_false(pool_has(&pool, first.index + 1)); // never was
    assert_false(pool_has(&pool, POOL_NONE));
    pool_give(&pool, first.index);
    assert_false(pool_has(&pool, first.index));
    assert_null(pool_find(&pool, first));
    struct pool_ref second = take(&pool);
    assert_int_equal(second.index, first.index); // the same memory, but another life
    assert_null(pool_find(&pool, first));
    assert_non_null(pool_find(&pool, second));
    free(pool.items);
}

static void finds_nothing_by_references_that_it_never_gave(void **state)
{
    struct pool pool = new_pool(2);
    struct pool_ref ref = take(&pool);
    const struct pool_ref table[] = {
        {POOL_NONE, 0},
        {POOL_NONE, 1},
        {0, 0}, // all zero, as in fresh memory
        {ref.index, ref.generation + 1},
        {ref.index, ref.generation + 2},
        {1, 0}, // not taken yet
        {1, 1},
        {2, 1}, // past the end
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_null(pool_find(&pool, table[i]));
    }
    pool_give(&pool, ref.index);
    assert_null(pool_find(&pool, (struct pool_ref){ref.index, ref.generation + 1}));
    free(pool.items);
}

static void refuses_when_all_are_taken_and_recovers(void **state)
{
    struct pool pool = new_pool(3);
    struct pool_ref refs[3];
    struct pool_ref untouched = {5, 6};

    (void)state;
    assert_false(pool_is_full(&pool));
    for (size_t i = 0; i < COUNT_OF(refs); i++) {
        refs[i] = take(&pool);
    }
    assert_true(pool_is_full(&pool));
    assert_false(pool_take(&pool, &untouched));
    assert_int_equal(untouched.index, 5);
    assert_int_equal(untouched.generation, 6);
    pool_give(&pool, refs[1].index);
    assert_false(pool_is_full(&pool));
    assert_int_equal(take(&pool).index, refs[1].index);
    free(pool.items);
}

static void touches_an_item_when_it_is_first_taken(void **state)
{
    struct pool pool = new_pool(4);

    (void)state;
    memset(pool.items, 0xee, (size_t)4 * ITEM_SIZE);
    struct pool_ref ref = take(&pool);
    pool_give(&pool, ref.index);
    ref = take(&pool); // the same again, not a fresh one
    for (size_t i = 0; i < (size_t)4 * ITEM_SIZE; i++) {
        assert_int_equal(pool.items[i], i / ITEM_SIZE == ref.index ? 0 : 0xee);
    }
    free(pool.items);
}

static void zeroes_an_item_that_was_used_before(void **state)
{
    static const uint8_t zero[ITEM_SIZE];
    struct pool pool = new_pool(1);

    (void)state;
    memset(pool_at(&pool, take(&pool).index), 0xee, ITEM_SIZE);
    pool_give(&pool, 0);
    assert_memory_equal(pool_at(&pool, take(&pool).index), zero, ITEM_SIZE);
    free(pool.items);
}

static void tells_apart_a_hundred_thousand_lives(void **state)
{
    struct pool pool = new_pool(1);
    struct pool_ref first = take(&pool);
    struct pool_ref previous = first;

    (void)state;
    for (size_t i = 0; i < 100000; i++) {
        pool_give(&pool, previous.index);
        struct pool_ref ref = take(&pool);
        assert_null(pool_find(&pool, previous));
        assert_null(pool_find(&pool, first));
        previous = ref;
    }
    free(pool.items);
}

static void agrees_with_a_naive_list(void **state)
{
    enum { RUNS = 40, LEN = 4002 }; // 80,000 operations
    struct rng rng = rng_init(rng_seed("pool_test"));
    uint8_t *operations = malloc(LEN);

    (void)state;
    assert_non_null(operations);
    for (size_t i = 0; i < RUNS; i++) {
        rng_fill(&rng, operations, LEN);
        pool_model_run((struct bytes){operations, LEN});
    }
    free(operations);
}

static void give_0(void *context)
{
    pool_give(context, 0);
}

static void give_none(void *context)
{
    pool_give(context, POOL_NONE);
}

static void use_0(void *context)
{
    (void)pool_at(context, 0);
}

static void refer_to_0(void *context)
{
    (void)pool_ref(context, 0);
}

static void init_with_odd_items(void *context)
{
    struct pool pool;
    pool_init(&pool, context, 1, 12);
}

static void dies_of_our_own_mistakes(void **state)
{
    uint64_t memory[8] = {0};
    struct pool pool = new_pool(1);

    (void)state;
    assert_true(dies(give_0, &pool)); // never taken
    assert_true(dies(use_0, &pool));
    assert_true(dies(refer_to_0, &pool));
    IGNORE(take(&pool).index); // the only one is 0
    assert_false(dies(use_0, &pool));
    assert_true(dies(give_none, &pool));
    pool_give(&pool, 0);
    assert_true(dies(give_0, &pool)); // given back twice
    assert_true(dies(use_0, &pool));
    assert_true(dies(init_with_odd_items, memory));
    free(pool.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_an_item_only_while_it_lives),
        cmocka_unit_test(finds_nothing_by_references_that_it_never_gave),
        cmocka_unit_test(refuses_when_all_are_taken_and_recovers),
        cmocka_unit_test(touches_an_item_when_it_is_first_taken),
        cmocka_unit_test(zeroes_an_item_that_was_used_before),
        cmocka_unit_test(tells_apart_a_hundred_thousand_lives),
        cmocka_unit_test(agrees_with_a_naive_list),
        cmocka_unit_test(dies_of_our_own_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
