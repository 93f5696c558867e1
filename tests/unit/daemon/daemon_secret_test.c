// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf_args.h"
#include "conf/conf_env.h"

static const struct conf_option options[] = {
    {
        .name = "auth-secret",
        .environment = "FAIRLEAD_AUTH_SECRET",
        .placeholder = "SECRET",
        .group = "Secrets",
        .help = "Given several times.",
        .is_repeated = true,
        .is_secret = true,
    },
    {
        .name = "stamp-secret",
        .placeholder = "SECRET",
        .group = "Secrets",
        .help = "Not by the environment.",
        .is_secret = true,
    },
    {
        .name = "realm",
        .environment = "FAIRLEAD_REALM",
        .placeholder = "NAME",
        .group = "Others",
        .help = "Everybody may know it.",
    },
};
static const struct conf_table table = {options, COUNT_OF(options)};

static void makes_up_digits_that_are_others_each_time(void **state)
{
    static const size_t lens[] = {2, 32, 64};
    uint8_t one[64];
    uint8_t other[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        const struct bytes made = daemon_secret_make(one, lens[i]);
        assert_int_equal(made.len, lens[i]);
        assert_ptr_equal(made.ptr, one);
        for (size_t k = 0; k < made.len; k++) {
            assert_non_null(memchr("0123456789abcdef", made.ptr[k], 16));
        }
    }
    assert_false(bytes_equal(daemon_secret_make(one, 64), daemon_secret_make(other, 64)));
}

static void wipes_secret_options_and_nothing_else(void **state)
{
    char texts[][64] = {"program",   "--auth-secret=hidden", "--stamp-secret", "hidden",
                        "--realm=a", "--auth-secret=hid"};
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
    conf_init(&conf, &table);
    conf_args_read(&conf, COUNT_OF(texts), argv);
    conf_env_read(&conf, environment, &scratch);
    daemon_secret_wipe(&conf, environment);
    assert_string_equal(argv[1], "--auth-secret=");
    assert_string_equal(argv[3], "");
    assert_string_equal(argv[4], "--realm=a");
    assert_string_equal(argv[5], "--auth-secret=");
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
        cmocka_unit_test(makes_up_digits_that_are_others_each_time),
        cmocka_unit_test(wipes_secret_options_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
