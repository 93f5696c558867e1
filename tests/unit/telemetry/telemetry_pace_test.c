// SPDX-License-Identifier: Apache-2.0
#include "telemetry/telemetry_pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/now.h"

#define MINUTE_NS (60 * SECOND_NS)

static const struct telemetry_answer taken = {.kind = TELEMETRY_ANSWER_TAKEN};
static const struct telemetry_answer later = {.kind = TELEMETRY_ANSWER_LATER};
static const struct telemetry_answer refused = {.kind = TELEMETRY_ANSWER_REFUSED};
static const struct telemetry_answer unsupported = {.kind = TELEMETRY_ANSWER_UNSUPPORTED};

static void is_due_regularly(void **state)
{
    struct telemetry_pace pace;

    (void)state;
    telemetry_pace_init(&pace, MINUTE_NS, 7);
    assert_int_equal(pace.due_ns, MINUTE_NS + 7);
    telemetry_pace_answered(&pace, &taken, 9, 0);
    assert_int_equal(pace.due_ns, MINUTE_NS + 9);
    telemetry_pace_answered(&pace, &refused, 10, 0);
    assert_int_equal(pace.due_ns, MINUTE_NS + 10);
    telemetry_pace_answered(&pace, &unsupported, 11, 0);
    assert_int_equal(pace.due_ns, MINUTE_NS + 11);
    assert_int_equal(pace.tries, 2);
    telemetry_pace_answered(&pace, &taken, 12, 0);
    assert_int_equal(pace.tries, 0);
}

static void tries_again_after_waits_that_double_up_to_the_interval(void **state)
{
    static const uint32_t chances[] = {0, 0x8000, 0xffff, UINT32_MAX};
    struct telemetry_pace pace;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(chances); i++) {
        telemetry_pace_init(&pace, MINUTE_NS, 0);
        for (uint32_t n = 0; n < 80; n++) {
            const uint64_t wait_ns = SECOND_NS << (n < 7 ? n : 7);
            const uint64_t most_ns = wait_ns / 4 * 5;
            telemetry_pace_answered(&pace, &later, 0, chances[i]);
            const uint64_t least_ns = wait_ns / 4 * 3;
            assert_in_range(pace.due_ns, least_ns < MINUTE_NS ? least_ns : MINUTE_NS,
                            most_ns < MINUTE_NS ? most_ns : MINUTE_NS);
        }
        assert_int_equal(pace.tries, 80);
    }
}

static void is_not_due_before_the_collector_wants_it(void **state)
{
    struct telemetry_answer busy = {.kind = TELEMETRY_ANSWER_LATER, .wait_s = 300};
    struct telemetry_pace pace;

    (void)state;
    telemetry_pace_init(&pace, MINUTE_NS, 0);
    telemetry_pace_answered(&pace, &busy, 5, 0);
    assert_int_equal(pace.due_ns, 300 * SECOND_NS + 5);
    busy.wait_s = 1;
    telemetry_pace_answered(&pace, &busy, 5, 0xffff);
    assert_true(pace.due_ns > SECOND_NS);
}

static void a_short_interval_stays_short(void **state)
{
    struct telemetry_pace pace;

    (void)state;
    telemetry_pace_init(&pace, SECOND_NS / 10, 0);
    telemetry_pace_answered(&pace, &later, 0, 0);
    assert_int_equal(pace.due_ns, SECOND_NS / 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_due_regularly),
        cmocka_unit_test(tries_again_after_waits_that_double_up_to_the_interval),
        cmocka_unit_test(is_not_due_before_the_collector_wants_it),
        cmocka_unit_test(a_short_interval_stays_short),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
