// SPDX-License-Identifier: Apache-2.0
#include "attack/attack_rank.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "crypto/crypto_random.h"

enum { COUNT = 100 };

static uint64_t first[COUNT];
static uint64_t second[COUNT];

static void all_larger_is_as_far_as_it_goes(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < COUNT; i++) {
        first[i] = 1000 + i;
        second[i] = COUNT - i;
    }
    struct attack_rank rank = attack_rank_compare(first, second, COUNT);
    // U = n*n: z = (n*n/2) / sqrt(n*n*(2n+1)/12) = 12.217 for n = 100.
    assert_in_range(rank.z_hundredths, 1220, 1223);
    assert_int_equal(rank.median_first, 1050);
    assert_int_equal(rank.median_second, 51);
    rank = attack_rank_compare(second, first, COUNT);
    assert_in_range(-rank.z_hundredths, 1220, 1223);
}

static void the_same_is_nothing(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < COUNT; i++) {
        first[i] = i % 7;
        second[i] = i % 7;
    }
    assert_int_equal(attack_rank_compare(first, second, COUNT).z_hundredths, 0);
    for (uint64_t i = 0; i < COUNT; i++) {
        first[i] = 5;
        second[i] = 5;
    }
    assert_int_equal(attack_rank_compare(first, second, COUNT).z_hundredths, 0);
}

// 200 comparisons of noise: of a normal distribution 3 of 10,000 lie beyond 3.6.
static void noise_stays_near(void **state)
{
    static const uint8_t seed[CRYPTO_RANDOM_SEED_LEN] = {3};
    struct crypto_random random;

    (void)state;
    crypto_random_init(&random, seed);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < COUNT; i++) {
            first[i] = crypto_random_below(&random, 100000);
            second[i] = crypto_random_below(&random, 100000);
        }
        const int32_t z = attack_rank_compare(first, second, COUNT).z_hundredths;
        assert_true(abs(z) < 400);
    }
}

static void a_small_shift_is_seen(void **state)
{
    static const uint8_t seed[CRYPTO_RANDOM_SEED_LEN] = {4};
    struct crypto_random random;

    (void)state;
    crypto_random_init(&random, seed);
    for (int i = 0; i < COUNT; i++) {
        first[i] = 500 + crypto_random_below(&random, 1000);
        second[i] = crypto_random_below(&random, 1000);
    }
    assert_true(attack_rank_compare(first, second, COUNT).z_hundredths > 600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_larger_is_as_far_as_it_goes),
        cmocka_unit_test(the_same_is_nothing),
        cmocka_unit_test(noise_stays_near),
        cmocka_unit_test(a_small_shift_is_seen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
