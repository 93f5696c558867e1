// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_handshakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/rng.h"

enum { RATE = 160, SHARE = RATE / TUNNEL_HANDSHAKES_SHARES };

static const struct siphash_key key = {1, 2};
static const struct now start = {.mono_ns = 5000 * SECOND_NS};
static struct tunnel_handshakes handshakes;

static int begin(void **state)
{
    (void)state;
    tunnel_handshakes_init(&handshakes, &key, RATE);
    return 0;
}

static struct now after(uint64_t ns)
{
    return (struct now){.mono_ns = start.mono_ns + ns};
}

static struct addr at(const char *text)
{
    struct addr addr;

    assert_true(addr_read(bytes_of_text(text), &addr));
    return addr;
}

// How many of so many begin.
static uint32_t flood(struct now now, const char *text, uint32_t count)
{
    const struct addr from = at(text);
    uint32_t begun = 0;

    for (uint32_t i = 0; i < count; i++) {
        begun += tunnel_handshakes_take(&handshakes, now, &from);
    }
    return begun;
}

static struct addr anybody(struct rng *rng)
{
    const uint8_t ip[ADDR_IP4_LEN] = {(uint8_t)(1 + rng_below(rng, 99)), (uint8_t)rng_next(rng),
                                      (uint8_t)rng_next(rng), (uint8_t)rng_next(rng)};
    return addr_ip4(ip, 1000);
}

static void lets_one_network_have_what_nobody_else_wants(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 10 * RATE; i++) { // 10 s of just the rate
        assert_int_equal(flood(after(i * (SECOND_NS / RATE)), "192.0.2.1", 1), 1);
    }
}

static void begins_no_more_than_the_rate_in_all(void **state)
{
    struct rng rng = rng_init(rng_seed("tunnel_handshakes"));
    uint32_t begun = 0;

    (void)state;
    for (uint32_t i = 0; i < 100 * RATE; i++) { // 10 s of ten times the rate, each from elsewhere
        const struct addr from = anybody(&rng);
        begun += tunnel_handshakes_take(&handshakes, after(i * (SECOND_NS / (10 * RATE))), &from);
    }
    assert_in_range(begun, 11 * RATE - 2, 11 * RATE);
}

static void keeps_a_flood_from_one_network_off_all_others(void **state)
{
    struct rng rng = rng_init(rng_seed("tunnel_handshakes"));

    (void)state;
    for (uint32_t i = 0; i < 10 * RATE / 4; i++) { // 10 s; others ask for a quarter of the rate
        const struct now now = after(i * (4 * SECOND_NS / RATE));
        const struct addr other = anybody(&rng);
        (void)flood(now, "192.0.2.77", 40);
        assert_true(tunnel_handshakes_take(&handshakes, now, &other));
    }
}

static void gives_a_network_its_share_in_a_crowd(void **state)
{
    (void)state;
    assert_int_equal(flood(start, "198.51.100.1", RATE), RATE / 2); // its share is gone too
    assert_int_equal(flood(start, "192.0.2.1", RATE), SHARE);
    assert_int_equal(flood(start, "192.0.2.254", RATE), 0); // of the same network
    assert_int_equal(flood(start, "2001:db8::1", RATE), SHARE);
    assert_int_equal(flood(start, "2001:db8:0:ffff::1", RATE), 0);
    assert_int_equal(flood(after(SECOND_NS / SHARE + 1), "192.0.2.1", RATE), 1);
}

static void has_no_limit_at_zero_and_one_a_second_at_least(void **state)
{
    (void)state;
    tunnel_handshakes_init(&handshakes, &key, 0);
    assert_int_equal(flood(start, "192.0.2.1", 100000), 100000);
    tunnel_handshakes_init(&handshakes, &key, 1);
    assert_int_equal(flood(start, "192.0.2.1", 10), 1);
    assert_int_equal(flood(after(SECOND_NS), "192.0.2.1", 10), 1);
}

static void forgets_nothing_when_the_rate_stays(void **state)
{
    (void)state;
    (void)flood(start, "192.0.2.1", RATE);
    tunnel_handshakes_adopt(&handshakes, RATE);
    assert_int_equal(flood(start, "192.0.2.1", 1), 0);
    tunnel_handshakes_adopt(&handshakes, 2 * RATE);
    assert_int_equal(flood(start, "192.0.2.1", 2 * RATE), RATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lets_one_network_have_what_nobody_else_wants, begin),
        cmocka_unit_test_setup(begins_no_more_than_the_rate_in_all, begin),
        cmocka_unit_test_setup(keeps_a_flood_from_one_network_off_all_others, begin),
        cmocka_unit_test_setup(gives_a_network_its_share_in_a_crowd, begin),
        cmocka_unit_test_setup(has_no_limit_at_zero_and_one_a_second_at_least, begin),
        cmocka_unit_test_setup(forgets_nothing_when_the_rate_stays, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
