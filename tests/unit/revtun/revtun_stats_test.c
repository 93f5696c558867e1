// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void names_every_counter_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < REVTUN_STATS_COUNT; i++) {
        const struct metric *metric = &revtun_stats_metrics[i];
        assert_true(strlen(metric->name) > 0);
        assert_int_equal(strspn(metric->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(metric->name));
        assert_null(strstr(metric->name, "_total")); // whoever exports them adds it
        assert_true(strlen(metric->unit) > 0);
        assert_int_equal(metric->help[strlen(metric->help) - 1], '.');
        assert_int_equal(metric->offset, i * sizeof(uint64_t));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(metric->name, revtun_stats_metrics[j].name);
        }
    }
}

static void every_refusal_has_a_counter_with_its_words(void **state)
{
    struct revtun_stats stats = {0};

    (void)state;
    for (enum revtun_refusal i = REVTUN_REFUSAL_NONE + 1; i < REVTUN_REFUSAL_END; i++) {
        const struct metric *metric =
            &revtun_stats_metrics[REVTUN_STATS_COUNT - REVTUN_REFUSAL_END + (size_t)i];
        *revtun_stats_refused(&stats, i) = 100 + i;
        assert_int_equal(metric_value(metric, &stats), 100 + i);
        assert_non_null(strstr(metric->help, revtun_refusal_words(i)));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_counter_once),
        cmocka_unit_test(every_refusal_has_a_counter_with_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
