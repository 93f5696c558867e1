// SPDX-License-Identifier: Apache-2.0
#include "base/shares.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/now.h"
#include "support/dies.h"
#include "support/rng.h"

enum { SHARE = 100 };

static const uint64_t start_ns = 5000 * SECOND_NS;
static const struct siphash_key key = {1, 2};
static struct shares shares;

static int begin(void **state)
{
    (void)state;
    memset(&shares, 0, sizeof shares);
    shares_init(&shares, &key, SHARE);
    return 0;
}

static struct addr at(const char *text)
{
    struct addr addr;

    assert_true(addr_read(bytes_of_text(text), &addr));
    return addr;
}

// How many of so many are had.
static uint32_t take(const char *text, uint64_t now_ns, uint32_t count)
{
    const struct addr addr = at(text);
    uint32_t taken = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (shares_has(&shares, now_ns, &addr)) {
            shares_take(&shares, now_ns, &addr);
            taken++;
        }
    }
    return taken;
}

static void a_network_is_the_bytes_of_its_prefix(void **state)
{
    const struct addr ip4 = at("192.0.2.77");
    const struct addr ip6 = at("2001:db8:1:2::77");
    const uint8_t of_ip4[] = {192, 0, 2};
    const uint8_t of_ip6[] = {0x20, 0x01, 0x0d, 0xb8, 0, 1};

    (void)state;
    assert_true(bytes_equal(shares_network(&ip4), (struct bytes){of_ip4, sizeof of_ip4}));
    assert_true(bytes_equal(shares_network(&ip6), (struct bytes){of_ip6, sizeof of_ip6}));
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

    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        begin(state);
        assert_int_equal(take(pairs[i].one, start_ns, SHARE + 1), SHARE);
        assert_int_equal(take(pairs[i].two, start_ns, 1), !pairs[i].are_one);
    }
}

static void fills_at_the_rate_of_a_share(void **state)
{
    (void)state;
    assert_int_equal(take("192.0.2.1", start_ns, 1000), SHARE);
    assert_int_equal(take("192.0.2.1", start_ns + SECOND_NS / 2, 1000), SHARE / 2);
    assert_int_equal(take("192.0.2.1", start_ns + 9 * SECOND_NS, 1000), SHARE);
}

static void makes_no_debts(void **state)
{
    const struct addr addr = at("192.0.2.1");

    (void)state;
    for (int i = 0; i < 100 * SHARE; i++) {
        shares_take(&shares, start_ns, &addr);
    }
    assert_false(shares_has(&shares, start_ns, &addr));
    assert_true(shares_has(&shares, start_ns + SECOND_NS / SHARE + 1, &addr));
}

// Of 2,000 networks beside one that has taken all, about two meet it in one row, and one in two
// thousand of these in the other row too.
static void is_not_lost_by_whoever_meets_a_flood_in_one_row(void **state)
{
    struct rng rng = rng_init(rng_seed("shares"));

    (void)state;
    for (int i = 0; i < 2000; i++) {
        const uint8_t ip[ADDR_IP4_LEN] = {(uint8_t)(1 + rng_below(&rng, 99)),
                                          (uint8_t)rng_next(&rng), (uint8_t)rng_next(&rng), 1};
        const struct addr other = addr_ip4(ip, 1);
        (void)take("192.0.2.1", start_ns, SHARE + 1);
        assert_true(shares_has(&shares, start_ns, &other));
    }
}

static void ask_of_nobody(void *context)
{
    const struct addr none = {.family = ADDR_NONE};

    (void)context;
    (void)shares_network(&none);
}

static void have_none(void *context)
{
    (void)context;
    shares_init(&shares, &key, 0);
}

static void is_of_addresses_and_of_one_token_at_least(void **state)
{
    (void)state;
    assert_true(dies(ask_of_nobody, NULL));
    assert_true(dies(have_none, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_network_is_the_bytes_of_its_prefix),
        cmocka_unit_test_setup(takes_whole_networks_and_sites_for_one, begin),
        cmocka_unit_test_setup(fills_at_the_rate_of_a_share, begin),
        cmocka_unit_test_setup(makes_no_debts, begin),
        cmocka_unit_test_setup(is_not_lost_by_whoever_meets_a_flood_in_one_row, begin),
        cmocka_unit_test_setup(is_of_addresses_and_of_one_token_at_least, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
