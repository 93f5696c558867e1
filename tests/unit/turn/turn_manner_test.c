// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_manner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void the_rfcs_manner_allows_itself_nothing(void **state)
{
    const struct turn_manner *manner = turn_manner_of(TURN_MANNER_RFC);

    (void)state;
    assert_int_equal(manner->kind, TURN_MANNER_RFC);
    assert_false(manner->has_user_proof);
    assert_false(manner->has_strict_nonce);
    assert_false(manner->has_takeover);
    assert_false(manner->has_open_tenure);
    assert_false(manner->has_own_channels);
    assert_false(manner->permits_blindly);
    assert_false(manner->reaches_private);
    assert_int_equal(manner->channel_last, 0x7FFF); // of RFC 5766's clients too
    assert_int_equal(manner->channel_rest_s, 0);
}

static void firezones_manner_is_that_of_its_relay(void **state)
{
    const struct turn_manner *manner = turn_manner_of(TURN_MANNER_FIREZONE);

    (void)state;
    assert_int_equal(manner->kind, TURN_MANNER_FIREZONE);
    assert_true(manner->has_user_proof);
    assert_true(manner->has_strict_nonce);
    assert_true(manner->has_takeover);
    assert_true(manner->has_open_tenure);
    assert_true(manner->has_own_channels);
    assert_true(manner->permits_blindly);
    assert_true(manner->reaches_private);
    assert_int_equal(manner->channel_last, 0x4FFF);
    assert_int_equal(manner->channel_rest_s, 300);
    assert_true(bytes_equal_text(turn_manner_firezone_realm, "firezone"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rfcs_manner_allows_itself_nothing),
        cmocka_unit_test(firezones_manner_is_that_of_its_relay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
