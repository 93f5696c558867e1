// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_policy.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { WORKERS = 3 };

static struct relay_policy policy;

static struct turn_config config_with(const struct turn_user *user)
{
    struct turn_config config = turn_config_default();

    config.realm = bytes_of_text("fairlead");
    config.users = user;
    config.user_count = 1;
    return config;
}

static const struct turn_user alice = {BYTES_LITERAL("alice"), BYTES_LITERAL("secret"), NULL};
static const struct turn_user bob = {BYTES_LITERAL("bob"), BYTES_LITERAL("hidden"), NULL};

static int open_policy(void **state)
{
    const struct turn_config config = config_with(&alice);

    (void)state;
    return relay_policy_open(&policy, &config, WORKERS);
}

static int close_policy(void **state)
{
    (void)state;
    relay_policy_close(&policy);
    relay_policy_close(&policy);
    return policy.own == NULL && policy.former == NULL ? 0 : -1;
}

static void expect_user(const struct turn_policy *of, const char *name)
{
    struct turn_user user = {.name = {0}};

    assert_int_equal(turn_policy_users(of, &user, 1), 1);
    assert_true(bytes_equal_text(user.name, name));
}

static void all_have_the_first_one(void **state)
{
    (void)state;
    expect_user(relay_policy_current(&policy), "alice");
    assert_true(relay_policy_settle(&policy));
}

static void the_former_is_there_until_the_last_worker_has_adopted(void **state)
{
    const struct turn_policy *former = relay_policy_current(&policy);
    const struct turn_config config = config_with(&bob);

    (void)state;
    assert_int_equal(relay_policy_change(&policy, &config), 0);
    for (uint32_t i = 0; i < WORKERS; i++) {
        expect_user(former, "alice");
        expect_user(relay_policy_current(&policy), "bob");
        assert_false(relay_policy_settle(&policy));
        relay_policy_adopted(&policy, i, relay_policy_current(&policy));
    }
    assert_true(relay_policy_settle(&policy));
    assert_null(policy.former);
    expect_user(relay_policy_current(&policy), "bob");
}

static void there_is_no_third_one(void **state)
{
    const struct turn_config first = config_with(&bob);
    const struct turn_config second = config_with(&alice);

    (void)state;
    assert_int_equal(relay_policy_change(&policy, &first), 0);
    relay_policy_adopted(&policy, 0, relay_policy_current(&policy));
    assert_int_equal(relay_policy_change(&policy, &second), -EBUSY);
    expect_user(relay_policy_current(&policy), "bob");
    for (uint32_t i = 1; i < WORKERS; i++) {
        relay_policy_adopted(&policy, i, relay_policy_current(&policy));
    }
    assert_int_equal(relay_policy_change(&policy, &second), 0);
    expect_user(relay_policy_current(&policy), "alice");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_have_the_first_one, open_policy, close_policy),
        cmocka_unit_test_setup_teardown(the_former_is_there_until_the_last_worker_has_adopted,
                                        open_policy, close_policy),
        cmocka_unit_test_setup_teardown(there_is_no_third_one, open_policy, close_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
