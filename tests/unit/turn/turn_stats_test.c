// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void names_every_counter_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < TURN_STATS_COUNT; i++) {
        const struct metric *metric = &turn_stats_metrics[i];
        assert_true(strlen(metric->name) > 0);
        assert_true(strlen(metric->unit) > 0);
        assert_int_equal(metric->help[strlen(metric->help) - 1], '.');
        assert_int_equal(metric->offset, i * sizeof(uint64_t));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(metric->name, turn_stats_metrics[j].name);
        }
    }
}

static void names_are_in_snake_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < TURN_STATS_COUNT; i++) {
        const char *name = turn_stats_metrics[i].name;
        assert_int_equal(strspn(name, "abcdefghijklmnopqrstuvwxyz_"), strlen(name));
        assert_null(strstr(name, "_total")); // whoever exports them adds it
    }
}

static void values_are_those_of_the_struct(void **state)
{
    struct turn_stats stats = {.binding_requests = 1};
    const struct metric *last = &turn_stats_metrics[TURN_STATS_COUNT - 1];

    (void)state;
    assert_string_equal(turn_stats_metrics[0].name, "binding_requests");
    assert_int_equal(metric_value(&turn_stats_metrics[0], &stats), 1);
    *turn_stats_refused(&stats, TURN_REFUSAL_ALLOCATIONS_CHANNELS) = 2;
    assert_string_equal(last->name, "refused_allocations_channels");
    assert_int_equal(metric_value(last, &stats), 2);
}

static void every_reason_has_a_counter_with_its_words(void **state)
{
    struct turn_stats stats = {0};

    (void)state;
    for (enum turn_refusal i = TURN_REFUSAL_NONE + 1; i < TURN_REFUSAL_END; i++) {
        const struct metric *metric =
            &turn_stats_metrics[TURN_STATS_COUNT - TURN_REFUSAL_END + (size_t)i];
        *turn_stats_refused(&stats, i) = 100 + i;
        assert_int_equal(metric_value(metric, &stats), 100 + i);
        assert_non_null(strstr(metric->help, turn_refusal_words(i)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_counter_once),
        cmocka_unit_test(names_are_in_snake_case),
        cmocka_unit_test(values_are_those_of_the_struct),
        cmocka_unit_test(every_reason_has_a_counter_with_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
