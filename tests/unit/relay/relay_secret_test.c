// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_args.h"
#include "conf/conf_env.h"
#include "relay/relay_options.h"

static void wipes_secret_options_and_nothing_else(void **state)
{
    char texts[][64] = {"program",   "--auth-secret=hidden", "--stamp-secret", "hidden",
                        "--realm=a", "--user=a:hidden"};
    char variables[][64] = {"FAIRLEAD_AUTH_SECRET=hidden", "FAIRLEAD_AUTH_SECRET=hidden",
                            "FAIRLEAD_AUTH_SECRETS=mine", "FAIRLEAD_REALM=b"};
    char *argv[COUNT_OF(texts)];
    char *environment[COUNT_OF(variables) + 1] = {NULL};
    uint8_t memory[64];
    struct wr scratch = wr_init(memory, sizeof memory);
    static struct conf conf;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        argv[i] = texts[i];
    }
    for (size_t i = 0; i < COUNT_OF(variables); i++) {
        environment[i] = variables[i];
    }
    conf_init(&conf, &relay_options_table);
    conf_args_read(&conf, COUNT_OF(texts), argv);
    conf_env_read(&conf, environment, &scratch);
    relay_secret_wipe(&conf, environment);
    assert_string_equal(argv[1], "--auth-secret=");
    assert_string_equal(argv[3], "");
    assert_string_equal(argv[4], "--realm=a");
    assert_string_equal(argv[5], "--user=");
    assert_string_equal(environment[0], "FAIRLEAD_AUTH_SECRET=");
    assert_string_equal(environment[1], "FAIRLEAD_AUTH_SECRET=");
    assert_string_equal(environment[2], "FAIRLEAD_AUTH_SECRETS=mine");
    assert_string_equal(environment[3], "FAIRLEAD_REALM=b");
    assert_null(memmem(texts, sizeof texts, "hid", 3));
    assert_null(memmem(variables, sizeof variables, "hid", 3));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wipes_secret_options_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
