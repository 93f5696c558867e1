// SPDX-License-Identifier: Apache-2.0
#include "base/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/dies.h"
#include "support/rng.h"
#include "support/table_model.h"

// The keys of a test: index i has keys[i].
static bool is_key(const void *context, uint32_t index, const void *key)
{
    const uint32_t *keys = context;
    return keys[index] == *(const uint32_t *)key;
}

static uint32_t find(const struct table *table, uint64_t hash, const uint32_t *keys, uint32_t key)
{
    return table_find(table, hash, is_key, keys, &key);
}

static struct table new_table(uint32_t capacity)
{
    struct table table;
    void *memory = calloc(1, table_size(capacity));

    assert_non_null(memory);
    table_init(&table, memory, capacity);
    return table;
}

static void finds_what_was_added_and_forgets_what_was_removed(void **state)
{
    static const uint32_t keys[] = {7, 9};
    struct table table = new_table(2);

    (void)state;
    assert_int_equal(find(&table, 7, keys, 7), TABLE_NONE);
    table_add(&table, 7, 0);
    table_add(&table, 7, 1); // the same hash
    assert_int_equal(find(&table, 7, keys, 9), 1);
    table_remove(&table, 7, 0);
    assert_int_equal(find(&table, 7, keys, 7), TABLE_NONE);
    assert_int_equal(find(&table, 7, keys, 9), 1);
    assert_int_equal(table.count, 1);
    free(table.slots);
}

// The first hash that belongs to a slot.
static uint64_t hash_of(const struct table *table, uint32_t slot)
{
    return (((uint64_t)slot << 32) + table->slot_count - 1) / table->slot_count;
}

// And half as many again, from which it moves.
static void needs_three_slots_for_two_indices(void **state)
{
    static const struct {
        uint32_t capacity;
        size_t slots;
    } table[] = {
        {1, 2 + 1},         {2, 3 + 1},
        {3, 5 + 2},         {4, 6 + 3},
        {5, 8 + 4},         {1000, 1500 + 750},
        {1025, 1538 + 769}, {UINT32_C(1) << 30, ((size_t)3 << 29) + ((size_t)3 << 28)},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        assert_int_equal(table_size(table[i].capacity), table[i].slots * sizeof(struct table_slot));
    }
}

// Three keys whose home is the last slot of six: two of them lie at the beginning. The hole of
// each must be closed across the end.
static void closes_a_hole_in_a_run_that_wraps_around(void **state)
{
    static const uint32_t keys[] = {1, 2, 3, 4};

    (void)state;
    for (uint32_t removed = 0; removed < 4; removed++) {
        struct table table = new_table(4);
        const uint64_t last = hash_of(&table, 5);
        const uint64_t hashes[] = {last, last, last + 1, 0}; // the home of 0 is taken by the run

        for (uint32_t i = 0; i < 4; i++) {
            table_add(&table, hashes[i], i);
        }
        table_remove(&table, hashes[removed], removed);
        for (uint32_t i = 0; i < 4; i++) {
            assert_int_equal(find(&table, hashes[i], keys, keys[i]), i == removed ? TABLE_NONE : i);
        }
        free(table.slots);
    }
}

// An entry that stands at its home must not be moved in front of it.
static void leaves_an_entry_at_home_behind_a_hole(void **state)
{
    static const uint32_t keys[] = {1, 2};
    struct table table = new_table(4);

    (void)state;
    table_add(&table, hash_of(&table, 2), 0);
    table_add(&table, hash_of(&table, 3), 1);
    table_remove(&table, hash_of(&table, 2), 0);
    assert_int_equal(find(&table, hash_of(&table, 3), keys, 2), 1);
    assert_int_equal(table.slots[3].index_plus_one, 2);
    free(table.slots);
}

static void keeps_the_highest_index(void **state)
{
    struct table table = new_table(1);

    (void)state;
    table_add(&table, hash_of(&table, 1), TABLE_NONE - 1);
    assert_int_equal(table.slots[1].index_plus_one, TABLE_NONE);
    table_remove(&table, hash_of(&table, 1), TABLE_NONE - 1);
    assert_int_equal(table.count, 0);
    free(table.slots);
}

// Indices are their own keys, and hashes what is random about them.
static bool is_index(const void *context, uint32_t index, const void *key)
{
    (void)context;
    return index == *(const uint32_t *)key;
}

static bool has_all(const struct table *table, const uint64_t *hashes, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++) {
        if (table_find(table, hashes[i], is_index, NULL, &i) != i) {
            return false;
        }
    }
    return true;
}

static void grows_with_what_it_holds(void **state)
{
    enum { CAPACITY = 100001 }; // whose slots cannot be halved evenly
    struct rng rng = rng_init(rng_seed("table_test"));
    uint64_t *hashes = malloc(CAPACITY * sizeof *hashes);
    uint8_t *memory = calloc(1, table_size(CAPACITY));
    struct table table;
    uint32_t moves = 0;

    (void)state;
    table_init(&table, memory, CAPACITY);
    for (uint32_t i = 0; i < CAPACITY; i++) {
        const uint32_t before = table.slot_count;
        hashes[i] = rng_next(&rng);
        table_add(&table, hashes[i], i);
        assert_true(table.count < table.slot_count);
        assert_true(table.slot_count < 4 * (table.count + 32)); // no more than it needs
        if (table.slot_count != before) {
            moves++;
            assert_true(has_all(&table, hashes, 0, i + 1));
        }
    }
    assert_int_equal(moves, 12);
    assert_int_equal(table.slot_count, CAPACITY + (CAPACITY + 1) / 2);
    assert_true(has_all(&table, hashes, 0, CAPACITY));
    for (uint32_t i = 0; i < CAPACITY; i++) {
        table_remove(&table, hashes[i], i);
    }
    for (size_t i = 0; i < table_size(CAPACITY); i++) { // nor is anything left where it was
        assert_int_equal(memory[i], 0);
    }
    free(memory);
    free(hashes);
}

static void agrees_with_a_naive_list(void **state)
{
    enum { RUNS = 40, LEN = 6003 }; // 120,000 operations
    struct rng rng = rng_init(rng_seed("table_test"));
    uint8_t *operations = malloc(LEN);

    (void)state;
    assert_non_null(operations);
    for (size_t i = 0; i < RUNS; i++) {
        rng_fill(&rng, operations, LEN);
        table_model_run((struct bytes){operations, LEN});
    }
    free(operations);
}

static void add_too_many(void *context)
{
    table_add(context, 2, 1);
}

static void add_none(void *context)
{
    table_add(context, 2, TABLE_NONE);
}

static void remove_absent(void *context)
{
    table_remove(context, 1, 1);
}

static void remove_under_another_hash(void *context)
{
    table_remove(context, UINT32_MAX, 0); // the same home
}

static void remove_none(void *context)
{
    table_remove(context, 0, TABLE_NONE); // its slot is free and has hash 0
}

static void dies_of_our_own_mistakes(void **state)
{
    struct table table = new_table(1);

    (void)state;
    assert_false(dies(add_too_many, &table));
    assert_true(dies(add_none, &table));
    table_add(&table, hash_of(&table, 1), 0);
    assert_true(dies(add_too_many, &table));
    assert_true(dies(remove_absent, &table));
    assert_true(dies(remove_under_another_hash, &table));
    assert_true(dies(remove_none, &table));
    free(table.slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_what_was_added_and_forgets_what_was_removed),
        cmocka_unit_test(needs_three_slots_for_two_indices),
        cmocka_unit_test(closes_a_hole_in_a_run_that_wraps_around),
        cmocka_unit_test(leaves_an_entry_at_home_behind_a_hole),
        cmocka_unit_test(keeps_the_highest_index),
        cmocka_unit_test(grows_with_what_it_holds),
        cmocka_unit_test(agrees_with_a_naive_list),
        cmocka_unit_test(dies_of_our_own_mistakes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
