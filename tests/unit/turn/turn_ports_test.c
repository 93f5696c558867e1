// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_ports.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture {
    struct turn_ports ports;
    struct crypto_random random;
    void *memory;
};

static void start(struct fixture *f, uint16_t lowest, uint16_t highest)
{
    free(f->memory);
    f->memory = calloc(1, turn_ports_size());
    assert_non_null(f->memory);
    turn_ports_init(&f->ports, f->memory, lowest, highest);
}

static int setup(void **state)
{
    static const uint8_t seed[CRYPTO_RANDOM_SEED_LEN] = {7};
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    crypto_random_init(&f->random, seed);
    start(f, 50000, 50099);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    free(f->memory);
    free(f);
    return 0;
}

static bool take(struct fixture *f, enum turn_ports_wish wish, uint16_t *out)
{
    return turn_ports_take(&f->ports, wish, &f->random, out);
}

static struct now at_s(uint64_t seconds)
{
    return (struct now){.mono_ns = seconds * SECOND_NS};
}

static void gives_each_port_once(void **state)
{
    static const struct {
        uint16_t lowest;
        uint16_t highest;
    } ranges[] = {{50000, 50099}, {50001, 50099}, {50000, 50098}, {50001, 50098}, {50000, 50000},
                  {50001, 50001}, {50001, 50002}, {1, 10},        {65530, 65535}, {1, 65535}};
    struct fixture *f = *state;

    for (size_t i = 0; i < COUNT_OF(ranges); i++) {
        static bool is_taken[65536];
        uint32_t count = ranges[i].highest - ranges[i].lowest + 1U;
        uint16_t port = 0;
        memset(is_taken, 0, sizeof is_taken);
        start(f, ranges[i].lowest, ranges[i].highest);
        assert_int_equal(f->ports.total, count);
        for (uint32_t left = count; left > 0; left--) {
            assert_int_equal(turn_ports_free_count(&f->ports), left);
            assert_true(take(f, TURN_PORTS_ANY, &port));
            assert_in_range(port, ranges[i].lowest, ranges[i].highest);
            assert_false(is_taken[port]);
            is_taken[port] = true;
        }
        port = 7;
        assert_false(take(f, TURN_PORTS_ANY, &port));
        assert_false(take(f, TURN_PORTS_EVEN, &port));
        assert_false(take(f, TURN_PORTS_PAIR, &port));
        assert_int_equal(port, 7); // untouched
        for (uint32_t back = ranges[i].lowest; back <= ranges[i].highest; back++) {
            turn_ports_give(&f->ports, (uint16_t)back);
        }
        assert_int_equal(turn_ports_free_count(&f->ports), count);
    }
}

static void gives_even_ports_and_pairs_within_the_range(void **state)
{
    struct fixture *f = *state;
    uint16_t port = 0;

    start(f, 50001, 50004); // 50001 | 50002 50003 | 50004
    assert_true(take(f, TURN_PORTS_PAIR, &port));
    assert_int_equal(port, 50002);
    assert_false(take(f, TURN_PORTS_PAIR, &port)); // 50004 has no neighbour
    assert_true(take(f, TURN_PORTS_EVEN, &port));
    assert_int_equal(port, 50004);
    assert_false(take(f, TURN_PORTS_EVEN, &port));
    assert_true(take(f, TURN_PORTS_ANY, &port));
    assert_int_equal(port, 50001);
    assert_int_equal(turn_ports_free_count(&f->ports), 0);
    turn_ports_give(&f->ports, 50003);
    assert_false(take(f, TURN_PORTS_PAIR, &port));
    turn_ports_give(&f->ports, 50002);
    assert_true(take(f, TURN_PORTS_PAIR, &port)); // whole again
}

static void a_pair_is_broken_by_either_port(void **state)
{
    struct fixture *f = *state;
    uint16_t port = 0;

    for (uint16_t kept = 0; kept < 2; kept++) {
        start(f, 50000, 50001);
        assert_true(take(f, TURN_PORTS_PAIR, &port));
        turn_ports_give(&f->ports, (uint16_t)(50001 - kept));
        assert_false(take(f, TURN_PORTS_PAIR, &port));
        assert_int_equal(take(f, TURN_PORTS_EVEN, &port), kept == 1);
    }
}

// Pearson's statistic for `draws` draws among `count` equally likely ports.
static double chi_square(const uint32_t *seen, size_t count, uint32_t draws)
{
    double expected = (double)draws / (double)count;
    double sum = 0;

    for (size_t i = 0; i < count; i++) {
        double off = (double)seen[i] - expected;
        sum += off * off / expected;
    }
    return sum;
}

static void every_free_port_is_equally_likely(void **state)
{
    enum { DRAWS = 100000 };
    struct fixture *f = *state;
    uint32_t any[100] = {0};
    uint32_t even[50] = {0};
    uint32_t pair[50] = {0};

    for (int i = 0; i < DRAWS; i++) {
        uint16_t port = 0;
        assert_true(take(f, TURN_PORTS_ANY, &port));
        any[port - 50000]++;
        turn_ports_give(&f->ports, port);
        assert_true(take(f, TURN_PORTS_EVEN, &port));
        even[(port - 50000) / 2]++;
        turn_ports_give(&f->ports, port);
        assert_true(take(f, TURN_PORTS_PAIR, &port));
        pair[(port - 50000) / 2]++;
        turn_ports_give(&f->ports, port);
        turn_ports_give(&f->ports, (uint16_t)(port + 1));
    }
    // One chance in a thousand to exceed, with 99 and 49 degrees of freedom; the seed is fixed.
    assert_true(chi_square(any, 100, DRAWS) < 148.2);
    assert_true(chi_square(even, 50, DRAWS) < 85.4);
    assert_true(chi_square(pair, 50, DRAWS) < 85.4);
}

static void stays_even_when_pairs_are_broken(void **state)
{
    enum { DRAWS = 90000 };
    struct fixture *f = *state;
    uint32_t seen[90] = {0};
    uint32_t from = 0;
    bool is_held[100] = {false};

    // Ten ports are held, so that all kinds of pairs occur.
    for (int i = 0; i < 10; i++) {
        uint16_t port = 0;
        assert_true(take(f, i < 5 ? TURN_PORTS_EVEN : TURN_PORTS_ANY, &port));
        is_held[port - 50000] = true;
    }
    for (int i = 0; i < DRAWS; i++) {
        uint16_t port = 0;
        assert_true(take(f, TURN_PORTS_ANY, &port));
        assert_false(is_held[port - 50000]);
        from = 0;
        for (int below = 0; below < port - 50000; below++) {
            from += !is_held[below];
        }
        seen[from]++;
        turn_ports_give(&f->ports, port);
    }
    assert_true(chi_square(seen, 90, DRAWS) < 135.9); // 89 degrees of freedom
}

static void a_refused_port_rests_for_a_minute(void **state)
{
    struct fixture *f = *state;
    uint16_t port = 0;

    start(f, 50000, 50000);
    assert_true(take(f, TURN_PORTS_ANY, &port));
    turn_ports_rest(&f->ports, port, at_s(100));
    assert_false(take(f, TURN_PORTS_ANY, &port));
    turn_ports_settle(&f->ports, (struct now){.mono_ns = 160 * SECOND_NS - 1});
    assert_false(take(f, TURN_PORTS_ANY, &port));
    turn_ports_settle(&f->ports, at_s(160));
    assert_true(take(f, TURN_PORTS_ANY, &port));
}

static void of_too_many_the_longest_rest_ends_early(void **state)
{
    struct fixture *f = *state;
    uint16_t first = 0;
    uint16_t port = 0;

    assert_true(take(f, TURN_PORTS_ANY, &first));
    turn_ports_rest(&f->ports, first, at_s(100));
    for (uint64_t i = 1; i < TURN_PORTS_RESTING_MAX; i++) {
        assert_true(take(f, TURN_PORTS_ANY, &port));
        turn_ports_rest(&f->ports, port, at_s(100 + i));
    }
    assert_int_equal(turn_ports_free_count(&f->ports), 100 - TURN_PORTS_RESTING_MAX);
    assert_true(take(f, TURN_PORTS_ANY, &port));
    turn_ports_rest(&f->ports, port, at_s(200));
    assert_int_equal(turn_ports_free_count(&f->ports), 100 - TURN_PORTS_RESTING_MAX);
    turn_ports_settle(&f->ports, (struct now){.mono_ns = 161 * SECOND_NS - 1});
    assert_int_equal(turn_ports_free_count(&f->ports), 100 - TURN_PORTS_RESTING_MAX);
    turn_ports_settle(&f->ports, at_s(161)); // the second one's
    assert_int_equal(turn_ports_free_count(&f->ports), 100 - TURN_PORTS_RESTING_MAX + 1);
    turn_ports_settle(&f->ports, at_s(260));
    assert_int_equal(turn_ports_free_count(&f->ports), 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(gives_each_port_once, setup, teardown),
        cmocka_unit_test_setup_teardown(gives_even_ports_and_pairs_within_the_range, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_pair_is_broken_by_either_port, setup, teardown),
        cmocka_unit_test_setup_teardown(every_free_port_is_equally_likely, setup, teardown),
        cmocka_unit_test_setup_teardown(stays_even_when_pairs_are_broken, setup, teardown),
        cmocka_unit_test_setup_teardown(a_refused_port_rests_for_a_minute, setup, teardown),
        cmocka_unit_test_setup_teardown(of_too_many_the_longest_rest_ends_early, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
