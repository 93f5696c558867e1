// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"
#include "revtun/revtun_pairs.h"

static struct revtun_config sound(void)
{
    struct revtun_config config = revtun_config_default();

    config.host = bytes_of_text("relay.example");
    return config;
}

static void has_the_originals_numbers(void **state)
{
    const struct revtun_config config = revtun_config_default();

    (void)state;
    assert_int_equal(config.control_port, 12000);
    assert_int_equal(2 * config.pair_count, 200); // --port-count
    assert_int_equal(config.pending_timeout_ns, 0);
}

// What is safer than the original, and not seen on a good day.
static void lets_a_server_dial_from_where_it_is_only(void **state)
{
    (void)state;
    assert_int_equal(revtun_config_default().reverse_policy, REVTUN_CONFIG_SAME_IP);
    assert_int_equal(revtun_config_default().max_waiting_per_pair, 128);
}

static void leaves_the_host_to_the_caller(void **state)
{
    const struct revtun_config config = revtun_config_default();
    const struct revtun_config with_host = sound();

    (void)state;
    assert_int_equal(config.host.len, 0);
    assert_false(revtun_config_is_sound(&config));
    assert_true(revtun_config_is_sound(&with_host));
}

static void no_limit_may_be_zero(void **state)
{
    static const size_t limits[] = {
        offsetof(struct revtun_config, max_sessions),
        offsetof(struct revtun_config, max_sessions_per_pair),
        offsetof(struct revtun_config, max_waiting),
        offsetof(struct revtun_config, max_waiting_per_pair),
        offsetof(struct revtun_config, max_waiting_per_address),
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        struct revtun_config config = sound();
        memset((uint8_t *)&config + limits[i], 0, sizeof(uint32_t));
        assert_false(revtun_config_is_sound(&config));
    }
}

static void all_ports_must_be_there(void **state)
{
    struct revtun_config config = sound();

    (void)state;
    config.control_port = 65335;
    assert_true(revtun_config_is_sound(&config));
    config.control_port = 65336;
    assert_false(revtun_config_is_sound(&config));
    config.pair_count = 0;
    assert_true(revtun_config_is_sound(&config));
    config.control_port = 0;
    assert_false(revtun_config_is_sound(&config));
}

static void what_memory_depends_on_may_not_change(void **state)
{
    const struct revtun_config former = sound();
    struct revtun_config next = former;

    (void)state;
    next.host = bytes_of_text("other.example");
    next.reverse_policy = REVTUN_CONFIG_ANY;
    next.pending_timeout_ns = 1;
    next.max_sessions_per_pair = 1;
    next.max_waiting_per_pair = 1;
    next.max_waiting_per_address = 1;
    assert_true(revtun_config_may_follow(&next, &former));
    next.max_waiting_per_pair = 0;
    assert_false(revtun_config_may_follow(&next, &former)); // it is not sound
    next = former;
    next.control_port++;
    assert_false(revtun_config_may_follow(&next, &former));
    next = former;
    next.pair_count--;
    assert_false(revtun_config_may_follow(&next, &former));
    next = former;
    next.max_sessions--;
    assert_false(revtun_config_may_follow(&next, &former));
    next = former;
    next.max_waiting++;
    assert_false(revtun_config_may_follow(&next, &former));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_originals_numbers),
        cmocka_unit_test(lets_a_server_dial_from_where_it_is_only),
        cmocka_unit_test(leaves_the_host_to_the_caller),
        cmocka_unit_test(no_limit_may_be_zero),
        cmocka_unit_test(all_ports_must_be_there),
        cmocka_unit_test(what_memory_depends_on_may_not_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
