// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_hub_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void names_every_counter_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < REVTUN_HUB_STATS_COUNT; i++) {
        const struct metric *metric = &revtun_hub_stats_metrics[i];
        assert_true(strlen(metric->name) > 0);
        assert_int_equal(strspn(metric->name, "abcdefghijklmnopqrstuvwxyz_"), strlen(metric->name));
        assert_null(strstr(metric->name, "_total")); // whoever exports them adds it
        assert_true(strlen(metric->unit) > 0);
        assert_int_equal(metric->help[strlen(metric->help) - 1], '.');
        assert_int_equal(metric->offset, i * sizeof(uint64_t));
        for (size_t j = 0; j < i; j++) {
            assert_string_not_equal(metric->name, revtun_hub_stats_metrics[j].name);
        }
    }
}

static void every_denial_has_a_counter_of_its_own(void **state)
{
    struct revtun_hub_stats stats = {0};
    const size_t first = REVTUN_HUB_STATS_COUNT - (REVTUN_DENIAL_END - 1);

    (void)state;
    for (enum revtun_denial_kind kind = REVTUN_DENIAL_NONE + 1; kind < REVTUN_DENIAL_END; kind++) {
        *revtun_hub_stats_denied(&stats, kind) = 100 + kind;
    }
    for (enum revtun_denial_kind kind = REVTUN_DENIAL_NONE + 1; kind < REVTUN_DENIAL_END; kind++) {
        const struct metric *metric = &revtun_hub_stats_metrics[first + (size_t)kind - 1];
        assert_int_equal(metric_value(metric, &stats), 100 + kind);
        assert_memory_equal(metric->name, "binds_refused_", strlen("binds_refused_"));
    }
    assert_int_equal(stats.prefaces_bad, 0); // the one before them
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_counter_once),
        cmocka_unit_test(every_denial_has_a_counter_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
