// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_arena.h"

#include <setjmp.h>
#include <stdalign.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { SIZE = 256 };

static struct telemetry_arena arena;

static int open_arena(void **state)
{
    (void)state;
    return telemetry_arena_open(&arena, SIZE);
}

static int close_arena(void **state)
{
    (void)state;
    telemetry_arena_close(&arena);
    telemetry_arena_close(&arena);
    return 0;
}

static void hands_out_aligned_pieces_that_do_not_overlap(void **state)
{
    uint8_t *pieces[6];

    (void)state;
    for (uint8_t i = 0; i < 6; i++) {
        pieces[i] = telemetry_arena_take(&arena, i + 1, 5);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % alignof(max_align_t), 0);
        memset(pieces[i], i, (i + 1) * 5);
    }
    for (uint8_t i = 0; i < 6; i++) {
        for (size_t k = 0; k < (i + 1U) * 5; k++) {
            assert_int_equal(pieces[i][k], i);
        }
    }
}

static void refuses_what_does_not_fit_until_it_is_reset(void **state)
{
    (void)state;
    assert_null(telemetry_arena_take(&arena, SIZE + 1, 1));
    assert_true(arena.is_failed);
    assert_non_null(telemetry_arena_take(&arena, 1, 1));
    assert_true(arena.is_failed);
    telemetry_arena_reset(&arena);
    assert_false(arena.is_failed);
    while (telemetry_arena_take(&arena, 1, 16) != NULL) {
        assert_true(arena.used <= SIZE);
    }
    telemetry_arena_reset(&arena);
    assert_non_null(telemetry_arena_take(&arena, 10, 16));
}

static void refuses_what_overflows(void **state)
{
    (void)state;
    assert_null(telemetry_arena_take(&arena, SIZE_MAX / 2, 3));
    telemetry_arena_reset(&arena);
    assert_null(telemetry_arena_take(&arena, 1, SIZE_MAX));
}

static void copies_texts(void **state)
{
    (void)state;
    assert_string_equal(telemetry_arena_text(&arena, "relayed", 5), "relay");
    assert_string_equal(telemetry_arena_text(&arena, NULL, 0), "");
    assert_null(telemetry_arena_text(&arena, NULL, SIZE));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(hands_out_aligned_pieces_that_do_not_overlap, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(refuses_what_does_not_fit_until_it_is_reset, open_arena,
                                        close_arena),
        cmocka_unit_test_setup_teardown(refuses_what_overflows, open_arena, close_arena),
        cmocka_unit_test_setup_teardown(copies_texts, open_arena, close_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
