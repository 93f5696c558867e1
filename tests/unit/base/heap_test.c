// SPDX-License-Identifier: Apache-2.0
#include "base/heap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/now.h"
#include "support/dies.h"
#include "support/heap_model.h"
#include "support/rng.h"

static struct heap new_heap(uint32_t capacity)
{
    struct heap heap;
    void *memory = calloc(1, heap_size(capacity));

    assert_non_null(memory);
    heap_init(&heap, memory, capacity);
    return heap;
}

static void is_empty_at_first(void **state)
{
    struct heap heap = new_heap(3);
    uint32_t timer = 77;

    (void)state;
    assert_true(heap_deadline(&heap) == NEVER);
    assert_true(heap_at(&heap, 2) == NEVER);
    assert_false(heap_take(&heap, NEVER, &timer));
    heap_clear(&heap, 2);
    assert_int_equal(timer, 77);
    assert_int_equal(heap.count, 0);
    free(heap.deadlines_ns);
}

static void gives_a_timer_at_its_deadline_and_not_before(void **state)
{
    struct heap heap = new_heap(3);
    uint32_t timer = 77;

    (void)state;
    heap_set(&heap, 1, 100);
    assert_false(heap_take(&heap, 99, &timer));
    assert_int_equal(timer, 77);
    assert_true(heap_take(&heap, 100, &timer));
    assert_int_equal(timer, 1);
    assert_false(heap_take(&heap, NEVER, &timer));
    heap_set(&heap, 0, 0);
    assert_true(heap_take(&heap, 0, &timer));
    assert_int_equal(timer, 0);
    free(heap.deadlines_ns);
}

static void moves_a_timer_up_and_down(void **state)
{
    struct heap heap = new_heap(5);

    (void)state;
    for (uint32_t i = 0; i < 5; i++) {
        heap_set(&heap, i, 100 + i);
    }
    heap_set(&heap, 4, 50); // from the bottom to the top
    assert_true(heap_deadline(&heap) == 50);
    heap_set(&heap, 4, 200); // and back
    assert_true(heap_deadline(&heap) == 100);
    heap_set(&heap, 0, 300);
    assert_true(heap_deadline(&heap) == 101);
    heap_set(&heap, 0, 300); // where it is
    assert_true(heap_at(&heap, 0) == 300);
    assert_int_equal(heap.count, 5);
    free(heap.deadlines_ns);
}

static void clears_by_the_deadline_that_never_comes(void **state)
{
    struct heap heap = new_heap(2);

    (void)state;
    heap_set(&heap, 0, NEVER); // was not set
    assert_int_equal(heap.count, 0);
    heap_set(&heap, 0, NEVER - 1);
    heap_set(&heap, 1, 1);
    assert_true(heap_at(&heap, 0) == NEVER - 1);
    heap_set(&heap, 1, NEVER);
    assert_true(heap_deadline(&heap) == NEVER - 1);
    heap_clear(&heap, 0);
    assert_true(heap_deadline(&heap) == NEVER);
    assert_int_equal(heap.count, 0);
    free(heap.deadlines_ns);
}

// The last entry takes the place of the cleared one, and then belongs above that place: it comes
// from another branch.
//
//            0 (1)
//       1 (50)       2 (2)
//     3 (60) 4 (70) 5 (3) 6 (4)
static void lifts_the_last_entry_when_its_new_place_is_too_low(void **state)
{
    static const uint64_t deadlines[] = {1, 50, 2, 60, 70, 3, 4};
    static const uint32_t order[] = {0, 2, 5, 6, 1, 4};
    struct heap heap = new_heap(7);
    uint32_t timer = 0;

    (void)state;
    for (uint32_t i = 0; i < COUNT_OF(deadlines); i++) {
        heap_set(&heap, i, deadlines[i]);
        assert_int_equal(heap.timers[i], i); // as drawn
    }
    heap_clear(&heap, 3); // its place goes to timer 6, whose parent there would be later
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        assert_true(heap_take(&heap, NEVER, &timer));
        assert_int_equal(timer, order[i]);
    }
    assert_int_equal(heap.count, 0);
    free(heap.deadlines_ns);
}

static void gives_ten_thousand_timers_in_order(void **state)
{
    enum { COUNT = 10000 };
    struct rng rng = rng_init(rng_seed("heap_test"));
    struct heap heap = new_heap(COUNT);
    uint64_t previous = 0;

    (void)state;
    for (uint32_t i = 0; i < COUNT; i++) {
        heap_set(&heap, i, rng_next(&rng) >> 1);
    }
    for (uint32_t i = 0; i < COUNT; i++) { // all of them move once
        heap_set(&heap, i, rng_next(&rng) >> 1);
    }
    for (uint32_t i = 0; i < COUNT; i++) {
        uint32_t timer = UINT32_MAX;
        uint64_t deadline = heap_deadline(&heap);
        assert_true(deadline >= previous);
        assert_true(heap_take(&heap, deadline, &timer));
        assert_true(heap_at(&heap, timer) == NEVER);
        previous = deadline;
    }
    assert_int_equal(heap.count, 0);
    free(heap.deadlines_ns);
}

static void agrees_with_a_naive_array(void **state)
{
    enum { RUNS = 40, LEN = 6001 }; // 80,000 operations
    struct rng rng = rng_init(rng_seed("heap_test"));
    uint8_t *operations = malloc(LEN);

    (void)state;
    assert_non_null(operations);
    for (size_t i = 0; i < RUNS; i++) {
        rng_fill(&rng, operations, LEN);
        heap_model_run((struct bytes){operations, LEN});
    }
    free(operations);
}

static void set_past_the_end(void *context)
{
    heap_set(context, 2, 1);
}

static void clear_past_the_end(void *context)
{
    heap_clear(context, 2);
}

static void ask_past_the_end(void *context)
{
    (void)heap_at(context, 2);
}

static void dies_of_a_timer_that_there_is_not(void **state)
{
    struct heap heap = new_heap(2);

    (void)state;
    assert_true(dies(set_past_the_end, &heap));
    assert_true(dies(clear_past_the_end, &heap));
    assert_true(dies(ask_past_the_end, &heap));
    free(heap.deadlines_ns);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_empty_at_first),
        cmocka_unit_test(gives_a_timer_at_its_deadline_and_not_before),
        cmocka_unit_test(moves_a_timer_up_and_down),
        cmocka_unit_test(clears_by_the_deadline_that_never_comes),
        cmocka_unit_test(lifts_the_last_entry_when_its_new_place_is_too_low),
        cmocka_unit_test(gives_ten_thousand_timers_in_order),
        cmocka_unit_test(agrees_with_a_naive_array),
        cmocka_unit_test(dies_of_a_timer_that_there_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
