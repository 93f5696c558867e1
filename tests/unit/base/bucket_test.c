// SPDX-License-Identifier: Apache-2.0
#include "base/bucket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/now.h"
#include "support/dies.h"
#include "support/rng.h"

enum { SOME_TIME = 1000 }; // ns

static const uint64_t rates[] = {2, 3, 7, 10, 64, 999, 1000, 65537, 1000000, 12500000};

static bool took(struct bucket *bucket, const struct bucket_rate *rate, uint64_t now_ns,
                 uint64_t tokens)
{
    if (!bucket_has(bucket, rate, now_ns, tokens)) {
        return false;
    }
    bucket_take(bucket, rate, now_ns, tokens);
    return true;
}

static uint64_t take_all(struct bucket *bucket, const struct bucket_rate *rate, uint64_t now_ns)
{
    uint64_t count = 0;

    while (took(bucket, rate, now_ns, 1)) {
        count++;
    }
    return count;
}

static void has_a_seconds_worth_at_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rates); i++) {
        struct bucket_rate rate = bucket_rate_of(rates[i]);
        struct bucket bucket = {0};
        assert_true(bucket_has(&bucket, &rate, 0, rates[i]));
        assert_int_equal(take_all(&bucket, &rate, SOME_TIME), rates[i]);
    }
}

static void gives_one_back_after_a_tokens_time(void **state)
{
    struct bucket_rate rate = bucket_rate_of(10);
    struct bucket bucket = {0};

    (void)state;
    assert_int_equal(take_all(&bucket, &rate, SOME_TIME), 10);
    assert_int_equal(take_all(&bucket, &rate, SOME_TIME + SECOND_NS / 10 - 1), 0);
    assert_int_equal(take_all(&bucket, &rate, SOME_TIME + SECOND_NS / 10), 1);
    assert_int_equal(take_all(&bucket, &rate, SOME_TIME + SECOND_NS / 10), 0);
    assert_int_equal(take_all(&bucket, &rate, SOME_TIME + SECOND_NS), 9);
    assert_int_equal(take_all(&bucket, &rate, SOME_TIME + 100 * SECOND_NS), 10); // and not 990
}

// Asked at moments that have nothing to do with its rate.
static void does_not_drift(void **state)
{
    struct rng rng = rng_init(rng_seed("bucket"));

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rates) && rates[i] <= 1000; i++) {
        struct bucket_rate rate = bucket_rate_of(rates[i]);
        struct bucket bucket = {0};
        const uint64_t seconds = 200000 / rates[i];
        uint64_t now_ns = SOME_TIME;
        uint64_t count = 0;
        while (now_ns < SOME_TIME + seconds * SECOND_NS) {
            count += take_all(&bucket, &rate, now_ns);
            now_ns += 1 + rng_below(&rng, SECOND_NS / rates[i] / 4);
        }
        count += take_all(&bucket, &rate, SOME_TIME + seconds * SECOND_NS);
        assert_int_equal(count, rates[i] * (seconds + 1)); // with those that were there at first
    }
}

// What several buckets have together is what was asked for.
static void divides_a_rate(void **state)
{
    static const struct {
        uint64_t tokens;
        uint32_t seconds;
        uint64_t at_once;
    } parts[] = {{3, 4, 1}, {1, 1024, 1}, {10, 4, 2}, {1000, 7, 142}, {5, 5, 1}, {0, 3, 0}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(parts) && parts[i].tokens > 0; i++) {
        struct bucket_rate rate = bucket_rate_in(parts[i].tokens, parts[i].seconds);
        struct bucket bucket = {0};
        const uint64_t end_ns = SOME_TIME + 12 * parts[i].seconds * SECOND_NS;
        assert_int_equal(rate.tokens, parts[i].at_once);
        assert_int_equal(take_all(&bucket, &rate, SOME_TIME), parts[i].at_once);
        uint64_t count = 0;
        for (uint64_t now_ns = SOME_TIME; now_ns <= end_ns; now_ns += SECOND_NS / 1000) {
            count += take_all(&bucket, &rate, now_ns);
        }
        assert_in_range(count, 12 * parts[i].tokens - 1, 12 * parts[i].tokens);
    }
    assert_int_equal(bucket_rate_in(0, 3).tokens, 0); // no limit
}

static void lasts_for_decades(void **state)
{
    const uint64_t end_ns = UINT64_MAX / 16; // 36 years
    struct bucket_rate rate = bucket_rate_of(3);
    struct bucket bucket = {0};

    (void)state;
    assert_int_equal(take_all(&bucket, &rate, 0), 3);
    assert_int_equal(take_all(&bucket, &rate, end_ns - 2 * SECOND_NS), 3);
    assert_int_equal(take_all(&bucket, &rate, end_ns - SECOND_NS), 3);
    assert_int_equal(take_all(&bucket, &rate, end_ns - SECOND_NS), 0);
}

static void lets_what_is_longer_than_a_second_pass_when_it_is_full(void **state)
{
    struct bucket_rate rate = bucket_rate_of(1000);
    struct bucket bucket = {0};

    (void)state;
    assert_true(took(&bucket, &rate, SOME_TIME, UINT16_MAX));
    assert_false(bucket_has(&bucket, &rate, SOME_TIME + 64535 * SECOND_NS / 1000 - 1, 1));
    assert_true(bucket_has(&bucket, &rate, SOME_TIME + 64536 * SECOND_NS / 1000, 1));
    assert_false(bucket_has(&bucket, &rate, SOME_TIME + 65534 * SECOND_NS / 1000, UINT16_MAX));
    assert_true(bucket_has(&bucket, &rate, SOME_TIME + 65535 * SECOND_NS / 1000, UINT16_MAX));
    bucket_take(&bucket, &rate, SOME_TIME + 65535 * SECOND_NS / 1000, 1);
    assert_false(bucket_has(&bucket, &rate, SOME_TIME + 65535 * SECOND_NS / 1000, UINT16_MAX));
}

static void keeps_what_is_taken_beyond_its_end(void **state)
{
    struct bucket_rate rate = bucket_rate_of(10);
    struct bucket bucket = {0};

    (void)state;
    bucket_take(&bucket, &rate, SOME_TIME, 10);
    bucket_take(&bucket, &rate, SOME_TIME, 10);
    assert_false(bucket_has(&bucket, &rate, SOME_TIME + SECOND_NS, 1));
    assert_true(bucket_has(&bucket, &rate, SOME_TIME + SECOND_NS + SECOND_NS / 10, 1));
}

static void is_drained_and_no_further(void **state)
{
    struct bucket_rate rate = bucket_rate_of(10);
    struct bucket bucket = {0};

    (void)state;
    bucket_drain(&bucket, &rate, SOME_TIME, 9);
    assert_int_equal(take_all(&bucket, &rate, SOME_TIME), 1);
    for (int i = 0; i < 100; i++) {
        bucket_drain(&bucket, &rate, SOME_TIME, 10);
    }
    assert_int_equal(take_all(&bucket, &rate, SOME_TIME), 0);
    assert_int_equal(take_all(&bucket, &rate, SOME_TIME + SECOND_NS), 10);
}

static void tells_when_a_debt_is_paid_off(void **state)
{
    const struct bucket_rate rate = bucket_rate_of(1000);
    const uint64_t start_ns = 5000 * SECOND_NS;
    struct bucket bucket = {0};

    (void)state;
    assert_int_equal(bucket_debt_ns(&bucket, start_ns), 0);
    bucket_take(&bucket, &rate, start_ns, 1000);
    assert_int_equal(bucket_debt_ns(&bucket, start_ns), 0);
    bucket_take(&bucket, &rate, start_ns, 250);
    assert_int_equal(bucket_debt_ns(&bucket, start_ns), SECOND_NS / 4);
    assert_int_equal(bucket_debt_ns(&bucket, start_ns + SECOND_NS / 4 - 1), 1);
    assert_int_equal(bucket_debt_ns(&bucket, start_ns + SECOND_NS / 4), 0);
}

static void does_not_mind_a_clock_that_stands(void **state)
{
    struct bucket_rate rate = bucket_rate_of(1000);
    struct bucket bucket = {0};

    (void)state;
    assert_int_equal(take_all(&bucket, &rate, 5 * SECOND_NS), 1000);
    assert_int_equal(take_all(&bucket, &rate, 5 * SECOND_NS), 0);
    assert_int_equal(take_all(&bucket, &rate, 4 * SECOND_NS), 0); // nor one that goes back
    assert_int_equal(take_all(&bucket, &rate, 6 * SECOND_NS), 1000);
}

static void has_no_limit_at_rate_zero(void **state)
{
    struct bucket_rate rate = bucket_rate_of(0);
    struct bucket bucket = {0};

    (void)state;
    for (int i = 0; i < 100000; i++) {
        assert_true(bucket_has(&bucket, &rate, SOME_TIME, UINT16_MAX));
        bucket_take(&bucket, &rate, SOME_TIME, UINT16_MAX);
        bucket_drain(&bucket, &rate, SOME_TIME, UINT16_MAX);
    }
    assert_int_equal(bucket.full_at, 0);
}

// 100 GB a second in datagrams of 1000 bytes: to one part in a hundred.
static void is_right_at_huge_rates(void **state)
{
    struct bucket_rate rate = bucket_rate_of(BUCKET_RATE_MAX);
    struct bucket bucket = {0};
    uint64_t count = 0;

    (void)state;
    for (int i = 0; i < 2; i++) {
        bucket_drain(&bucket, &rate, 0, BUCKET_RATE_MAX);
    }
    for (uint64_t now_ns = 0; now_ns < SECOND_NS / 1000; now_ns += 10) {
        while (took(&bucket, &rate, now_ns, 1000)) {
            count++;
        }
    }
    assert_in_range(count, 99999, 101000);
    assert_int_equal(rate.tokens, BUCKET_RATE_MAX);
}

static void ask_for_a_rate_too_high(void *context)
{
    (void)context;
    (void)bucket_rate_of(BUCKET_RATE_MAX + 1);
}

static void ask_for_too_many(void *context)
{
    const struct bucket_rate *rate = context;
    struct bucket bucket = {.full_at = 1};

    bucket_take(&bucket, rate, 0, UINT16_MAX + 1);
}

static void knows_what_it_can_compute(void **state)
{
    struct bucket_rate slow = bucket_rate_of(UINT16_MAX);
    struct bucket_rate fast = bucket_rate_of(UINT16_MAX + 1);

    (void)state;
    assert_true(dies(ask_for_a_rate_too_high, NULL));
    assert_true(dies(ask_for_too_many, &slow));
    assert_false(dies(ask_for_too_many, &fast));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_seconds_worth_at_first),
        cmocka_unit_test(gives_one_back_after_a_tokens_time),
        cmocka_unit_test(does_not_drift),
        cmocka_unit_test(divides_a_rate),
        cmocka_unit_test(lasts_for_decades),
        cmocka_unit_test(lets_what_is_longer_than_a_second_pass_when_it_is_full),
        cmocka_unit_test(keeps_what_is_taken_beyond_its_end),
        cmocka_unit_test(is_drained_and_no_further),
        cmocka_unit_test(tells_when_a_debt_is_paid_off),
        cmocka_unit_test(does_not_mind_a_clock_that_stands),
        cmocka_unit_test(has_no_limit_at_rate_zero),
        cmocka_unit_test(is_right_at_huge_rates),
        cmocka_unit_test(knows_what_it_can_compute),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
