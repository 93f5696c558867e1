// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_queue.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CLIENTS = 40, LIMIT = 40 };

#define S SECOND_NS

struct world {
    struct pool clients;
    struct revtun_queue queue;
    uint64_t memory[CLIENTS * (sizeof(struct revtun_queue_place) + sizeof(struct pool_slot)) / 8];
};

static int setup(void **state)
{
    static struct world world;

    memset(&world, 0, sizeof world);
    pool_init(&world.clients, world.memory, CLIENTS, sizeof(struct revtun_queue_place));
    revtun_queue_init(&world.queue);
    *state = &world;
    return 0;
}

static uint32_t add(struct world *w, uint64_t now_ns)
{
    struct pool_ref ref = {0};

    assert_true(pool_take(&w->clients, &ref));
    assert_true(revtun_queue_add(&w->queue, &w->clients, ref.index, now_ns, LIMIT));
    return ref.index;
}

static uint32_t take(struct world *w)
{
    return revtun_queue_take(&w->queue, &w->clients);
}

static uint32_t again(struct world *w, uint64_t now_ns)
{
    return revtun_queue_again(&w->queue, &w->clients, now_ns);
}

static void serves_the_oldest_first(void **state)
{
    struct world *w = *state;
    const uint32_t a = add(w, 1);
    const uint32_t b = add(w, 1);
    const uint32_t c = add(w, 2);

    assert_int_equal(w->queue.count, 3);
    assert_int_equal(take(w), a);
    assert_int_equal(take(w), b);
    const uint32_t d = add(w, 3);
    assert_int_equal(take(w), c);
    assert_int_equal(take(w), d);
    assert_int_equal(take(w), POOL_NONE);
    assert_int_equal(w->queue.count, 0);
}

static void lets_go_at_either_end_and_in_the_middle(void **state)
{
    for (int gone = 0; gone < 3; gone++) {
        setup(state);
        struct world *w = *state;
        uint32_t clients[3];
        for (int i = 0; i < 3; i++) {
            clients[i] = add(w, 1);
        }
        revtun_queue_remove(&w->queue, &w->clients, clients[gone]);
        assert_int_equal(w->queue.count, 2);
        const uint32_t last = add(w, 2);
        for (int i = 0; i < 3; i++) {
            if (i != gone) {
                assert_int_equal(take(w), clients[i]);
            }
        }
        assert_int_equal(take(w), last);
        assert_int_equal(take(w), POOL_NONE);
    }
}

static void counts_what_is_outstanding(void **state)
{
    struct world *w = *state;

    assert_int_equal(take(w), POOL_NONE); // a stray one
    assert_int_equal(w->queue.outstanding, 0);
    const uint32_t a = add(w, 1);
    add(w, 1);
    assert_int_equal(w->queue.outstanding, 2);
    revtun_queue_remove(&w->queue, &w->clients, a);
    assert_int_equal(w->queue.outstanding, 2); // its announcement is still under way
    take(w);
    assert_int_equal(w->queue.outstanding, 1);
    assert_int_equal(take(w), POOL_NONE);
    assert_int_equal(w->queue.outstanding, 0);
}

static void is_due_only_while_somebody_waits(void **state)
{
    struct world *w = *state;

    assert_int_equal(w->queue.again_ns, NEVER);
    assert_int_equal(again(w, 100 * S), 0);
    add(w, S);
    assert_int_equal(w->queue.again_ns, 6 * S);
    assert_int_equal(again(w, 6 * S - 1), 0);
    take(w);
    assert_int_equal(w->queue.again_ns, NEVER);
    const uint32_t next = add(w, 5 * S);
    assert_int_equal(w->queue.again_ns, 10 * S);
    revtun_queue_remove(&w->queue, &w->clients, next);
    assert_int_equal(w->queue.again_ns, NEVER);
}

// Nobody answers: 5 s, 10, 20, 40, then a minute each.
static void repeats_itself_ever_more_seldom(void **state)
{
    static const uint64_t waits_s[] = {5, 10, 20, 40, 60, 60, 60};
    struct world *w = *state;
    uint64_t now_ns = 7;

    add(w, now_ns);
    for (size_t i = 0; i < sizeof waits_s / sizeof waits_s[0]; i++) {
        assert_int_equal(w->queue.again_ns, now_ns + waits_s[i] * S);
        now_ns = w->queue.again_ns;
        assert_int_equal(again(w, now_ns), 1);
        assert_int_equal(w->queue.outstanding, 2);
    }
}

static void begins_anew_with_whom_comes_to_nobody(void **state)
{
    struct world *w = *state;
    const uint32_t first = add(w, 0);

    again(w, 5 * S);
    again(w, 15 * S);
    revtun_queue_remove(&w->queue, &w->clients, first);
    add(w, 20 * S);
    assert_int_equal(w->queue.again_ns, 25 * S);
    assert_int_equal(again(w, 25 * S), 1);
    assert_int_equal(w->queue.again_ns, 35 * S);
}

static void comes_back_soon_when_somebody_answers(void **state)
{
    struct world *w = *state;

    add(w, 0);
    add(w, 0);
    assert_int_equal(again(w, 5 * S), 2);
    assert_int_equal(w->queue.again_ns, 15 * S);
    take(w);
    assert_int_equal(w->queue.again_ns, 15 * S); // as it was said
    assert_int_equal(again(w, 15 * S), 1);
    assert_int_equal(w->queue.again_ns, 20 * S);
    assert_int_equal(again(w, 20 * S), 1);
    assert_int_equal(w->queue.again_ns, 30 * S);
}

static void announces_as_many_as_have_waited_long(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < 3; i++) {
        add(w, 0);
    }
    add(w, 1);
    add(w, 4 * S);
    assert_int_equal(again(w, 5 * S), 3);
    assert_int_equal(w->queue.outstanding, 5 + 3);
}

// The server is one short, and clients come ever so often: nobody waits for 5 s, but somebody
// always does.
static void announces_one_when_somebody_always_waits(void **state)
{
    struct world *w = *state;

    add(w, 0);
    for (uint64_t s = 1; s <= 5; s++) {
        add(w, s * S);
        take(w);
    }
    assert_int_equal(again(w, 5 * S), 1);
    assert_int_equal(w->queue.again_ns, 10 * S);
}

static void announces_not_too_many_at_a_time(void **state)
{
    struct world *w = *state;

    for (int i = 0; i < CLIENTS; i++) {
        add(w, 0);
    }
    assert_int_equal(again(w, 5 * S), REVTUN_QUEUE_AGAIN_MAX);
    assert_int_equal(w->queue.outstanding, CLIENTS + REVTUN_QUEUE_AGAIN_MAX);
}

static void announces_no_more_with_very_many_outstanding(void **state)
{
    enum { FEW = 3 };
    struct world *w = *state;
    struct pool_ref ref = {0};

    assert_true(pool_take(&w->clients, &ref));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(revtun_queue_add(&w->queue, &w->clients, ref.index, 0, FEW),
                         i < FEW * REVTUN_QUEUE_OUTSTANDING_TO_LIMIT);
        revtun_queue_remove(&w->queue, &w->clients, ref.index);
    }
    assert_int_equal(w->queue.outstanding, FEW * REVTUN_QUEUE_OUTSTANDING_TO_LIMIT);
    assert_false(revtun_queue_add(&w->queue, &w->clients, ref.index, 0, FEW));
    assert_int_equal(again(w, 5 * S), 1); // those are taken for lost
    assert_int_equal(w->queue.outstanding, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(serves_the_oldest_first, setup),
        cmocka_unit_test_setup(lets_go_at_either_end_and_in_the_middle, setup),
        cmocka_unit_test_setup(counts_what_is_outstanding, setup),
        cmocka_unit_test_setup(is_due_only_while_somebody_waits, setup),
        cmocka_unit_test_setup(repeats_itself_ever_more_seldom, setup),
        cmocka_unit_test_setup(begins_anew_with_whom_comes_to_nobody, setup),
        cmocka_unit_test_setup(comes_back_soon_when_somebody_answers, setup),
        cmocka_unit_test_setup(announces_as_many_as_have_waited_long, setup),
        cmocka_unit_test_setup(announces_one_when_somebody_always_waits, setup),
        cmocka_unit_test_setup(announces_not_too_many_at_a_time, setup),
        cmocka_unit_test_setup(announces_no_more_with_very_many_outstanding, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
