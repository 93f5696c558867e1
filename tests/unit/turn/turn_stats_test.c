// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_stats.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

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

// Firezone's: a bound belongs to what is below it.
static void counts_sizes_by_steps_of_a_hundred(void **state)
{
    const struct {
        size_t len;
        size_t place;
    } cases[] = {{0, 0},     {1, 0},     {99, 0},    {100, 0},   {101, 1},
                 {200, 1},   {201, 2},   {1400, 13}, {1401, 14}, {1500, 14},
                 {1501, 15}, {1600, 15}, {1601, 15}, {9000, 15}, {65507, 15}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct turn_stats stats = {0};
        turn_stats_size(&stats, cases[i].len);
        for (size_t k = 0; k <= TURN_STATS_SIZE_COUNT; k++) {
            assert_int_equal(stats.packet_sizes[k], k == cases[i].place);
        }
        assert_int_equal(stats.packet_sizes[TURN_STATS_SIZE_COUNT + 1], cases[i].len);
    }
}

static void each_response_has_its_counter(void **state)
{
    static const enum stun_method methods[] = {STUN_BINDING, STUN_ALLOCATE, STUN_REFRESH,
                                               STUN_CREATE_PERMISSION, STUN_CHANNEL_BIND};
    static const enum stun_error_code codes[] = {STUN_ERROR_NONE,
#define CODE(NAME, code, reason) STUN_ERROR_##NAME,
                                                 STUN_ERRORS(CODE)
#undef CODE
    };
    struct turn_stats stats = {0};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(methods); i++) {
        for (size_t k = 0; k < COUNT_OF(codes); k++) {
            (*turn_stats_response(&stats, methods[i], codes[k])) += i * 100 + k + 1;
        }
    }
    for (size_t i = 0; i < TURN_STATS_METHOD_COUNT; i++) {
        for (size_t k = 0; k < TURN_STATS_OUTCOME_COUNT; k++) {
            assert_int_equal(stats.responses[i][k], i * 100 + k + 1);
        }
    }
}

static void each_method_has_its_word(void **state)
{
    (void)state;
    assert_string_equal(turn_stats_word(STUN_BINDING), "binding");
    assert_string_equal(turn_stats_word(STUN_CREATE_PERMISSION), "createpermission");
    assert_string_equal(turn_stats_word(STUN_CHANNEL_BIND), "channelbind");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_every_counter_once),
        cmocka_unit_test(names_are_in_snake_case),
        cmocka_unit_test(values_are_those_of_the_struct),
        cmocka_unit_test(every_reason_has_a_counter_with_its_words),
        cmocka_unit_test(counts_sizes_by_steps_of_a_hundred),
        cmocka_unit_test(each_response_has_its_counter),
        cmocka_unit_test(each_method_has_its_word),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
