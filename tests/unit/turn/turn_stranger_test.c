// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_stranger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/rng.h"
#include "turn/turn_fixture.h"

enum { RATE = 1600, SHARE = RATE / TURN_STRANGER_SHARES };

static const struct now start = {.mono_ns = 5000 * SECOND_NS};

static struct turn_stranger *new_stranger(uint32_t rate)
{
    static const struct siphash_key key = {1, 2};
    struct turn_stranger *stranger = calloc(1, sizeof *stranger);

    assert_non_null(stranger);
    turn_stranger_init(stranger, &key, rate, 1);
    return stranger;
}

static struct now after(struct now now, uint64_t ns)
{
    now.mono_ns += ns;
    return now;
}

static bool asks(struct turn_stranger *stranger, struct now now, const struct addr *client,
                 enum turn_stranger_kind kind)
{
    if (!turn_stranger_is_welcome(stranger, now, client, kind)) {
        return false;
    }
    turn_stranger_take(stranger, now, client, kind);
    return true;
}

// How many of so many requests are answered.
static uint32_t flood(struct turn_stranger *stranger, struct now now, const char *ip,
                      uint32_t count)
{
    struct addr client = turn_fixture_addr(ip, 1000);
    uint32_t answered = 0;

    for (uint32_t i = 0; i < count; i++) {
        client.port = (uint16_t)(1000 + i);
        answered += asks(stranger, now, &client, TURN_STRANGER_PLAIN);
    }
    return answered;
}

static struct addr random_client(struct rng *rng)
{
    const uint8_t ip[ADDR_IP4_LEN] = {(uint8_t)(1 + rng_below(rng, 99)), (uint8_t)rng_next(rng),
                                      (uint8_t)rng_next(rng), (uint8_t)rng_next(rng)};
    return addr_ip4(ip, 1000);
}

static void lets_one_prefix_have_all_that_nobody_else_wants(void **state)
{
    struct turn_stranger *stranger = new_stranger(RATE);
    uint32_t answered = 0;

    (void)state;
    for (uint32_t i = 0; i < 10 * RATE; i++) { // 10 s of just the rate
        answered += flood(stranger, after(start, i * (SECOND_NS / RATE)), "192.0.2.1", 1);
    }
    assert_int_equal(answered, 10 * RATE);
    free(stranger);
}

static void holds_nothing_against_who_had_what_nobody_wanted(void **state)
{
    struct turn_stranger *stranger = new_stranger(RATE);

    (void)state;
    for (uint32_t i = 0; i < 10 * RATE; i++) { // sixteen times its share, for 10 s
        assert_int_equal(flood(stranger, after(start, i * (SECOND_NS / RATE)), "192.0.2.1", 1), 1);
    }
    struct now later = after(start, 11 * SECOND_NS);
    assert_int_equal(flood(stranger, later, "198.51.100.1", RATE), RATE / 2);
    assert_int_equal(flood(stranger, later, "192.0.2.1", RATE), SHARE);
    free(stranger);
}

static void answers_no_more_than_the_rate_in_all(void **state)
{
    struct turn_stranger *stranger = new_stranger(RATE);
    struct rng rng = rng_init(rng_seed("turn_stranger"));
    uint32_t answered = 0;

    (void)state;
    for (uint32_t i = 0; i < 100 * RATE; i++) { // 10 s of ten times the rate, each from elsewhere
        struct addr client = random_client(&rng);
        struct now now = after(start, i * (SECOND_NS / (10 * RATE)));
        answered += asks(stranger, now, &client, TURN_STRANGER_PLAIN);
    }
    assert_in_range(answered, 11 * RATE - 2, 11 * RATE);
    free(stranger);
}

// A flood from one network takes what others leave, and never what they want.
static void keeps_a_flood_from_one_prefix_off_all_others(void **state)
{
    static const char *const floods[] = {"192.0.2.77", "2001:db8:7:1234::5"};
    struct rng rng = rng_init(rng_seed("turn_stranger"));

    (void)state;
    for (size_t flooder = 0; flooder < COUNT_OF(floods); flooder++) {
        struct turn_stranger *stranger = new_stranger(RATE);
        uint32_t flooded = 0;
        for (uint32_t i = 0; i < 10 * RATE / 4; i++) { // 10 s; others ask for a quarter of the rate
            struct now now = after(start, i * (4 * SECOND_NS / RATE));
            struct addr other = random_client(&rng);
            flooded += flood(stranger, now, floods[flooder], 400);
            assert_true(asks(stranger, now, &other, TURN_STRANGER_PLAIN));
        }
        assert_in_range(flooded, 10 * RATE * 3 / 4, 11 * RATE);
        free(stranger);
    }
}

static void gives_a_prefix_its_share_in_a_crowd(void **state)
{
    struct turn_stranger *stranger = new_stranger(RATE);
    struct addr one = turn_fixture_addr("192.0.2.1", 1000);
    struct addr neighbour = turn_fixture_addr("192.0.2.254", 1000);
    struct addr other = turn_fixture_addr("192.0.3.1", 1000);
    const uint32_t half = RATE / 2;

    (void)state;
    assert_int_equal(flood(stranger, start, "198.51.100.1", RATE), half); // its share is gone too
    assert_int_equal(flood(stranger, start, "192.0.2.1", RATE), SHARE);
    assert_false(asks(stranger, start, &one, TURN_STRANGER_PLAIN));
    assert_false(asks(stranger, start, &neighbour, TURN_STRANGER_PLAIN));
    assert_true(asks(stranger, start, &other, TURN_STRANGER_PLAIN));
    for (uint8_t i = 0; i < TURN_STRANGER_SHARES / 2; i++) { // until all is gone
        const uint8_t ip[ADDR_IP4_LEN] = {20, i};
        struct addr client = addr_ip4(ip, 1);
        for (uint32_t n = 0; n < SHARE; n++) {
            IGNORE(asks(stranger, start, &client, TURN_STRANGER_PLAIN)); // counted below
        }
    }
    assert_false(asks(stranger, start, &other, TURN_STRANGER_PLAIN));
    assert_int_equal(flood(stranger, after(start, SECOND_NS / SHARE), "192.0.2.1", RATE), 1);
    free(stranger);
}

static void takes_whole_networks_and_sites_for_one(void **state)
{
    static const struct {
        const char *one;
        const char *two;
        bool are_one;
    } pairs[] = {
        {"192.0.2.0", "192.0.2.255", true},
        {"192.0.2.255", "192.0.3.0", false},
        {"2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff", true},
        {"2001:db8:1:ffff::", "2001:db8:2::", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct turn_stranger *stranger = new_stranger(RATE);
        struct addr one = turn_fixture_addr(pairs[i].one, 1);
        struct addr two = turn_fixture_addr(pairs[i].two, 1);
        for (uint32_t n = 0; n < SHARE; n++) {
            assert_true(turn_stranger_take_share(stranger, start, &one));
        }
        assert_false(turn_stranger_take_share(stranger, start, &one));
        assert_int_equal(!turn_stranger_take_share(stranger, start, &two), pairs[i].are_one);
        free(stranger);
    }
}

// Two that meet in one row do each other no harm: of 2,000 prefixes beside one that floods, one in
// a thousand does meet it in a row, and of these one in two thousand in the other row too.
static void suffers_nobody_beside_a_flood(void **state)
{
    struct turn_stranger *stranger = new_stranger(RATE);
    struct rng rng = rng_init(rng_seed("turn_stranger"));

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct addr flooder = turn_fixture_addr("192.0.2.1", 1);
        struct addr other = random_client(&rng);
        while (turn_stranger_take_share(stranger, start, &flooder)) {
        }
        assert_true(turn_stranger_take_share(stranger, start, &other));
    }
    free(stranger);
}

static void keeps_the_two_kinds_apart(void **state)
{
    struct turn_stranger *stranger = new_stranger(RATE);
    struct addr other = turn_fixture_addr("192.0.2.1", 1);
    struct rng rng = rng_init(rng_seed("turn_stranger"));

    (void)state;
    for (uint32_t i = 0; i < 2 * RATE; i++) {
        struct addr client = random_client(&rng);
        IGNORE(asks(stranger, start, &client, TURN_STRANGER_PLAIN)); // until there is nothing left
    }
    assert_false(turn_stranger_is_welcome(stranger, start, &other, TURN_STRANGER_PLAIN));
    assert_true(turn_stranger_is_welcome(stranger, start, &other, TURN_STRANGER_CLAIM));
    free(stranger);
}

static void answers_everybody_at_rate_zero(void **state)
{
    struct turn_stranger *stranger = new_stranger(0);
    struct addr client = turn_fixture_addr("192.0.2.1", 1);

    (void)state;
    assert_int_equal(flood(stranger, start, "192.0.2.1", 100000), 100000);
    assert_true(turn_stranger_take_share(stranger, start, &client));
    free(stranger);
}

static void answers_somebody_at_the_lowest_rate(void **state)
{
    struct turn_stranger *stranger = new_stranger(1);

    (void)state;
    assert_int_equal(flood(stranger, start, "192.0.2.1", 10), 1);
    assert_int_equal(flood(stranger, after(start, SECOND_NS), "192.0.2.1", 10), 1);
    free(stranger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lets_one_prefix_have_all_that_nobody_else_wants),
        cmocka_unit_test(holds_nothing_against_who_had_what_nobody_wanted),
        cmocka_unit_test(answers_no_more_than_the_rate_in_all),
        cmocka_unit_test(keeps_a_flood_from_one_prefix_off_all_others),
        cmocka_unit_test(gives_a_prefix_its_share_in_a_crowd),
        cmocka_unit_test(takes_whole_networks_and_sites_for_one),
        cmocka_unit_test(suffers_nobody_beside_a_flood),
        cmocka_unit_test(keeps_the_two_kinds_apart),
        cmocka_unit_test(answers_everybody_at_rate_zero),
        cmocka_unit_test(answers_somebody_at_the_lowest_rate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
