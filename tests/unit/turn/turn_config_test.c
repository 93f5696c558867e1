// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void has_the_numbers_of_the_rfc(void **state)
{
    struct turn_config config = turn_config_default();

    (void)state;
    assert_int_equal(config.lowest_port, 49152); // RFC 8656 section 7.2: the dynamic ports
    assert_int_equal(config.highest_port, 65535);
    assert_int_equal(config.min_lifetime_s, 600); // section 3.2
    assert_int_equal(config.default_lifetime_s, 600);
    assert_int_equal(config.max_lifetime_s, 3600); // section 7.2 recommends an hour
    assert_int_equal(config.shard_index, 0);
    assert_int_equal(config.shard_count, 1);
}

static void has_room_for_one_of_each(void **state)
{
    struct turn_config config = turn_config_default();

    (void)state;
    assert_true(config.max_allocations >= 1);
    assert_true(config.max_permissions >= config.max_allocations);
    assert_true(config.max_channels >= config.max_allocations);
    assert_true(config.max_reservations >= 1);
    assert_in_range(config.permissions_per_allocation, 1, UINT16_MAX);
    assert_in_range(config.channels_per_allocation, 1, config.permissions_per_allocation);
}

static void leaves_to_the_caller_what_nobody_can_guess(void **state)
{
    struct turn_config config = turn_config_default();

    (void)state;
    assert_int_equal(config.public_ip4.family, ADDR_NONE);
    assert_int_equal(config.public_ip6.family, ADDR_NONE);
    assert_int_equal(config.realm.len, 0);
    assert_int_equal(config.user_count, 0);
    assert_int_equal(config.rule_count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_numbers_of_the_rfc),
        cmocka_unit_test(has_room_for_one_of_each),
        cmocka_unit_test(leaves_to_the_caller_what_nobody_can_guess),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
