// SPDX-License-Identifier: Apache-2.0
#include "base/chain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/dies.h"
#include "support/rng.h"

enum { CAPACITY = 20 }; // items, all of them taken

struct item {
    struct chain_link link; // first, as chain.h asks
    uint64_t payload;
};

static struct pool new_pool(void)
{
    struct pool pool;
    void *memory = calloc(1, pool_size(CAPACITY, sizeof(struct item)));

    assert_non_null(memory);
    pool_init(&pool, memory, CAPACITY, sizeof(struct item));
    for (uint32_t i = 0; i < CAPACITY; i++) {
        struct pool_ref ref;
        assert_true(pool_take(&pool, &ref));
        ((struct item *)pool_at(&pool, ref.index))->payload = ref.index * 11;
    }
    return pool;
}

// The list, walked from its head, is exactly `expected`, and every way back is right.
static void assert_list(const struct pool *pool, uint32_t head, const uint32_t *expected,
                        size_t count)
{
    uint32_t previous = POOL_NONE;

    for (size_t i = 0; i < count; i++) {
        assert_int_equal(head, expected[i]);
        const struct item *item = pool_at(pool, head);
        assert_int_equal(item->link.previous, previous);
        assert_int_equal(item->payload, head * 11);
        previous = head;
        head = item->link.next;
    }
    assert_int_equal(head, POOL_NONE);
}

static void removes_first_middle_last_and_only(void **state)
{
    static const uint32_t left[3][2] = {{2, 1}, {2, 0}, {1, 0}}; // by what was removed

    (void)state;
    for (uint32_t removed = 0; removed < 3; removed++) {
        struct pool pool = new_pool();
        uint32_t head = POOL_NONE;

        for (uint32_t i = 0; i < 3; i++) {
            chain_add(&pool, &head, i);
        }
        assert_list(&pool, head, (const uint32_t[]){2, 1, 0}, 3);
        chain_remove(&pool, &head, removed);
        const uint32_t *rest = left[removed];
        assert_list(&pool, head, rest, 2);
        chain_remove(&pool, &head, rest[0]);
        assert_list(&pool, head, rest + 1, 1);
        chain_remove(&pool, &head, rest[1]);
        assert_list(&pool, head, NULL, 0);
        free(pool.items);
    }
}

// Two lists in one pool, each beside an array whose front is its end.
static void agrees_with_naive_arrays(void **state)
{
    struct rng rng = rng_init(rng_seed("chain_test"));
    struct pool pool = new_pool();
    uint32_t heads[2] = {POOL_NONE, POOL_NONE};
    uint32_t lists[2][CAPACITY];
    size_t counts[2] = {0, 0};
    int list_of[CAPACITY]; // -1: in none

    (void)state;
    memset(list_of, 0xff, sizeof list_of);
    for (size_t step = 0; step < 50000; step++) {
        uint32_t index = (uint32_t)rng_below(&rng, CAPACITY);
        int list = list_of[index];

        if (list < 0) {
            list = (int)rng_below(&rng, 2);
            chain_add(&pool, &heads[list], index);
            memmove(lists[list] + 1, lists[list], counts[list] * sizeof lists[list][0]);
            lists[list][0] = index;
            counts[list]++;
            list_of[index] = list;
        } else {
            size_t at = 0;
            while (lists[list][at] != index) {
                at++;
            }
            chain_remove(&pool, &heads[list], index);
            counts[list]--;
            memmove(lists[list] + at, lists[list] + at + 1,
                    (counts[list] - at) * sizeof lists[list][0]);
            list_of[index] = -1;
        }
        assert_list(&pool, heads[list], lists[list], counts[list]);
    }
    assert_list(&pool, heads[0], lists[0], counts[0]);
    assert_list(&pool, heads[1], lists[1], counts[1]);
    free(pool.items);
}

struct wrong {
    struct pool *pool;
    uint32_t head;
};

static void remove_from_another_list(void *context)
{
    struct wrong *wrong = context;
    chain_remove(wrong->pool, &wrong->head, 0);
}

static void dies_when_the_first_is_not_the_heads(void **state)
{
    struct pool pool = new_pool();
    uint32_t head = POOL_NONE;
    uint32_t other = POOL_NONE;

    (void)state;
    chain_add(&pool, &head, 0);
    chain_add(&pool, &other, 1);
    assert_true(dies(remove_from_another_list, &(struct wrong){&pool, other}));
    assert_false(dies(remove_from_another_list, &(struct wrong){&pool, head}));
    free(pool.items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(removes_first_middle_last_and_only),
        cmocka_unit_test(agrees_with_naive_arrays),
        cmocka_unit_test(dies_when_the_first_is_not_the_heads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
