// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_expiry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct turn_config config;
    struct turn_expiry expiry;
    void *memory;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    f->config.max_allocations = 3;
    f->config.max_permissions = 5;
    f->config.max_channels = 1;
    f->memory = calloc(1, turn_expiry_size(&f->config));
    assert_non_null(f->memory);
    turn_expiry_init(&f->expiry, f->memory, &f->config);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    free(f->memory);
    free(f);
    return 0;
}

static void expect(struct fixture *f, uint64_t now_ns, enum turn_expiry_kind kind, uint32_t index)
{
    enum turn_expiry_kind taken_kind = TURN_EXPIRY_KINDS;
    uint32_t taken_index = UINT32_MAX;

    assert_true(turn_expiry_take(&f->expiry, (struct now){now_ns, 0}, &taken_kind, &taken_index));
    assert_int_equal(taken_kind, kind);
    assert_int_equal(taken_index, index);
}

static void expect_none(struct fixture *f, uint64_t now_ns)
{
    enum turn_expiry_kind kind = TURN_EXPIRY_KINDS;
    uint32_t index = UINT32_MAX;

    assert_false(turn_expiry_take(&f->expiry, (struct now){now_ns, 0}, &kind, &index));
    assert_int_equal(kind, TURN_EXPIRY_KINDS);
    assert_int_equal(index, UINT32_MAX);
}

static void has_the_times_of_rfc_8656(void **state)
{
    (void)state;
    assert_true(TURN_EXPIRY_PERMISSION_NS == 300 * SECOND_NS);
    assert_true(TURN_EXPIRY_CHANNEL_NS == 600 * SECOND_NS);
}

static void is_never_due_while_empty(void **state)
{
    struct fixture *f = *state;

    assert_true(turn_expiry_deadline(&f->expiry) == NEVER);
    expect_none(f, NEVER - 1);
}

static void tells_kind_and_index_of_each_timer(void **state)
{
    struct fixture *f = *state;
    uint64_t at_ns = 100;

    for (int kind = 0; kind < TURN_EXPIRY_KINDS; kind++) { // first and last of each kind
        uint32_t count = f->expiry.first[kind + 1] - f->expiry.first[kind];
        turn_expiry_set(&f->expiry, (enum turn_expiry_kind)kind, 0, at_ns);
        expect(f, at_ns, (enum turn_expiry_kind)kind, 0);
        turn_expiry_set(&f->expiry, (enum turn_expiry_kind)kind, count - 1, at_ns);
        expect(f, at_ns, (enum turn_expiry_kind)kind, count - 1);
    }
    expect_none(f, at_ns);
}

static void comes_in_the_order_of_deadlines(void **state)
{
    struct fixture *f = *state;

    turn_expiry_set(&f->expiry, TURN_EXPIRY_ALLOCATION, 2, 600);
    turn_expiry_set(&f->expiry, TURN_EXPIRY_PERMISSION, 4, 300);
    turn_expiry_set(&f->expiry, TURN_EXPIRY_CHANNEL, 0, 400);
    assert_int_equal(turn_expiry_deadline(&f->expiry), 300);
    expect_none(f, 299);
    expect(f, 1000, TURN_EXPIRY_PERMISSION, 4);
    expect(f, 1000, TURN_EXPIRY_CHANNEL, 0);
    expect_none(f, 599);
    expect(f, 600, TURN_EXPIRY_ALLOCATION, 2);
    assert_true(turn_expiry_deadline(&f->expiry) == NEVER);
}

static void moves_and_clears(void **state)
{
    struct fixture *f = *state;

    turn_expiry_set(&f->expiry, TURN_EXPIRY_PERMISSION, 1, 300);
    turn_expiry_set(&f->expiry, TURN_EXPIRY_PERMISSION, 1, 500);
    turn_expiry_set(&f->expiry, TURN_EXPIRY_CHANNEL, 0, 400);
    assert_int_equal(turn_expiry_deadline(&f->expiry), 400);
    turn_expiry_clear(&f->expiry, TURN_EXPIRY_CHANNEL, 0);
    turn_expiry_clear(&f->expiry, TURN_EXPIRY_CHANNEL, 0); // nothing to do
    expect_none(f, 499);
    expect(f, 500, TURN_EXPIRY_PERMISSION, 1);
}

static void has_room_for_all_at_once(void **state)
{
    struct fixture *f = *state;
    uint32_t count = 0;
    enum turn_expiry_kind kind = TURN_EXPIRY_KINDS;
    uint32_t index = 0;

    for (int of = 0; of < TURN_EXPIRY_KINDS; of++) {
        for (uint32_t i = 0; i < f->expiry.first[of + 1] - f->expiry.first[of]; i++) {
            turn_expiry_set(&f->expiry, (enum turn_expiry_kind)of, i, 7);
        }
    }
    while (turn_expiry_take(&f->expiry, (struct now){7, 0}, &kind, &index)) {
        count++;
    }
    assert_int_equal(count, 3 + 5 + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(has_the_times_of_rfc_8656, setup, teardown),
        cmocka_unit_test_setup_teardown(is_never_due_while_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_kind_and_index_of_each_timer, setup, teardown),
        cmocka_unit_test_setup_teardown(comes_in_the_order_of_deadlines, setup, teardown),
        cmocka_unit_test_setup_teardown(moves_and_clears, setup, teardown),
        cmocka_unit_test_setup_teardown(has_room_for_all_at_once, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
