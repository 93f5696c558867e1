// SPDX-License-Identifier: Apache-2.0
// What is logged, and what a low limit does to a relay that starts, is in tests/conform.
#include "relay/relay_capacity.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fixture.h"

static struct relay_config config_for(bool has_both)
{
    struct relay_config config = fixture_config(ADDR_IP4);

    config.daemon.worker_count = 0;
    if (has_both) {
        config.public_ip6 = config.public_ip4;
        config.public_ip6.family = ADDR_IP6;
    }
    return config;
}

// A worker takes 11 descriptors with one family, and 20 with both.
static void leaves_most_descriptors_to_allocations(void **state)
{
    static const struct {
        uint32_t cpus;
        uint64_t descriptors;
        uint32_t with_one;
        uint32_t with_both;
    } cases[] = {
        {1, 0, 1, 1},
        {4, 100, 2, 1},
        {2, 1024, 2, 2},
        {16, 1024, 16, 12},
        {64, 1024, 23, 12},
        {64, 4096, 64, 51},
        {64, 524288, 64, 64},
        {1000, UINT64_MAX, DAEMON_CONFIG_WORKER_MAX, DAEMON_CONFIG_WORKER_MAX},
    };
    const struct relay_config one = config_for(false);
    const struct relay_config both = config_for(true);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const uint32_t cpus = cases[i].cpus;
        const uint64_t descriptors = cases[i].descriptors;
        assert_int_equal(relay_capacity_workers(&one, cpus, descriptors), cases[i].with_one);
        assert_int_equal(relay_capacity_workers(&both, cpus, descriptors), cases[i].with_both);
    }
}

static void settles_how_many_workers_there_are_unless_told(void **state)
{
    struct relay_config config = config_for(false);

    (void)state;
    config.max_allocations = 5;
    relay_capacity_settle(&config);
    assert_int_equal(config.fitting_allocations, 5); // fewer than there are ports or descriptors
    assert_in_range(config.daemon.worker_count, 1, DAEMON_CONFIG_WORKER_MAX);
    config.daemon.worker_count = 200;
    relay_capacity_settle(&config);
    assert_int_equal(config.daemon.worker_count, 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(leaves_most_descriptors_to_allocations),
        cmocka_unit_test(settles_how_many_workers_there_are_unless_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
