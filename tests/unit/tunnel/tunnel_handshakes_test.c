// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_handshakes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/macro.h"
#include "support/rng.h"

enum {
    RATE = 160,
    SHARE = RATE / TUNNEL_HANDSHAKES_SHARES,
    KEPT = SHARE * TUNNEL_HANDSHAKES_KEPT,
};

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
    // At first there is a second's worth at once, but for what is kept.
    assert_in_range(begun, 11 * RATE - KEPT - 2, 11 * RATE - KEPT);
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

// So many strangers that each has a share of his own, and their whole flood.
static void flood_by_many(struct rng *rng, struct now now)
{
    for (uint32_t i = 0; i < 4 * RATE; i++) {
        const struct addr from = anybody(rng);
        IGNORE(tunnel_handshakes_take(&handshakes, now, &from));
    }
}

static void keeps_a_share_for_who_is_known(void **state)
{
    struct rng rng = rng_init(rng_seed("tunnel_handshakes"));
    const struct addr known = at("192.0.2.1");
    const struct addr far = at("2001:db8:1:2::3");

    (void)state;
    tunnel_handshakes_prove(&handshakes, start, &known);
    tunnel_handshakes_prove(&handshakes, start, &far);
    for (uint64_t s = 1; s < 20; s++) {
        flood_by_many(&rng, after(s * SECOND_NS));
        assert_int_equal(flood(after(s * SECOND_NS), "203.0.113.1", 10), 0);
        // No more than a network has as its share.
        assert_int_equal(flood(after(s * SECOND_NS), "192.0.2.1", RATE), SHARE);
        assert_int_equal(flood(after(s * SECOND_NS), "192.0.2.2", RATE), 0); // its neighbour
        assert_int_equal(flood(after(s * SECOND_NS), "2001:db8:1:2:ffff::1", RATE), SHARE);
        assert_int_equal(flood(after(s * SECOND_NS), "2001:db8:1:3::3", RATE), 0);
    }
    // Another rate, and they are known still.
    tunnel_handshakes_adopt(&handshakes, 2 * RATE);
    flood_by_many(&rng, after(20 * SECOND_NS));
    assert_int_equal(flood(after(20 * SECOND_NS), "192.0.2.1", RATE), 2 * SHARE);
}

static void knows_nobody_for_ever(void **state)
{
    struct rng rng = rng_init(rng_seed("tunnel_handshakes"));
    const struct addr known = at("192.0.2.1");
    const uint64_t long_ns = TUNNEL_HANDSHAKES_KNOWN_S * SECOND_NS;

    (void)state;
    tunnel_handshakes_prove(&handshakes, start, &known);
    tunnel_handshakes_prove(&handshakes, after(SECOND_NS), &known); // again
    flood_by_many(&rng, after(long_ns));
    assert_int_equal(flood(after(long_ns), "192.0.2.1", 1), 1);
    flood_by_many(&rng, after(long_ns + SECOND_NS));
    assert_int_equal(flood(after(long_ns + SECOND_NS), "192.0.2.1", 1), 0);
}

// Who has very many addresses in a network pushes out of their bucket whom he meets there, and
// nobody else.
static void forgets_whom_a_network_pushes_out_alone(void **state)
{
    enum { OTHERS = 100 };
    struct rng rng = rng_init(rng_seed("tunnel_handshakes"));
    uint32_t lost = 0;

    (void)state;
    for (uint8_t i = 0; i < OTHERS; i++) {
        const struct addr other = addr_ip4((const uint8_t[]){203, i, 113, 1}, 1000);
        tunnel_handshakes_prove(&handshakes, start, &other);
    }
    for (uint32_t i = 0; i < 10000; i++) {
        const uint8_t ip[ADDR_IP6_LEN] = {
            0x20, 0x01, 0x0d, 0xb8, [6] = (uint8_t)(i >> 8), [7] = (uint8_t)i};
        const struct addr from = addr_ip6(ip, 1000);
        tunnel_handshakes_prove(&handshakes, after(1), &from);
    }
    for (uint8_t i = 0; i < OTHERS; i++) {
        const struct now now = after((1 + (uint64_t)i) * SECOND_NS);
        const struct addr other = addr_ip4((const uint8_t[]){203, i, 113, 1}, 1000);
        flood_by_many(&rng, now);
        lost += !tunnel_handshakes_take(&handshakes, now, &other);
    }
    assert_in_range(lost, 0, 5); // of which one in 512 is expected in that bucket
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(lets_one_network_have_what_nobody_else_wants, begin),
        cmocka_unit_test_setup(begins_no_more_than_the_rate_in_all, begin),
        cmocka_unit_test_setup(keeps_a_flood_from_one_network_off_all_others, begin),
        cmocka_unit_test_setup(gives_a_network_its_share_in_a_crowd, begin),
        cmocka_unit_test_setup(has_no_limit_at_zero_and_one_a_second_at_least, begin),
        cmocka_unit_test_setup(keeps_a_share_for_who_is_known, begin),
        cmocka_unit_test_setup(knows_nobody_for_ever, begin),
        cmocka_unit_test_setup(forgets_whom_a_network_pushes_out_alone, begin),
        cmocka_unit_test_setup(forgets_nothing_when_the_rate_stays, begin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
