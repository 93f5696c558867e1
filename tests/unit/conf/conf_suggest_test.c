// SPDX-License-Identifier: Apache-2.0
#include "conf/conf_suggest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "sample.h"

static void suggests_the_option_that_a_slip_of_the_hand_missed(void **state)
{
    static const struct {
        const char *name;
        const char *meant; // NULL: nothing is near
    } cases[] = {
        {"listen-prt", "listen-port"},
        {"listen-prot", "listen-port"},
        {"listenport", "listen-port"},
        {"LISTEN_PORT", "listen-port"},
        {"alow-peers", "allow-peer"},
        {"hlep", NULL},
        {"halp", "help"},
        {"usr", "user"},
        {"x", NULL},
        {"", NULL},
        {"listen", NULL},
        {"relam", NULL},
        {"config", "config"},
        {"bind-address", NULL},
        {"ab", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct conf_option *option =
            conf_suggest(&sample_table, bytes_of_text(cases[i].name));
        if (cases[i].meant == NULL) {
            assert_null(option);
        } else {
            assert_non_null(option);
            assert_string_equal(option->name, cases[i].meant);
        }
    }
}

static void compares_no_name_that_is_longer_than_names_are(void **state)
{
    char name[5000];

    (void)state;
    memset(name, 'a', sizeof name);
    assert_null(conf_suggest(&sample_table, (struct bytes){(const uint8_t *)name, sizeof name}));
    assert_null(conf_suggest(&sample_table, (struct bytes){(const uint8_t *)name, 48}));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(suggests_the_option_that_a_slip_of_the_hand_missed),
        cmocka_unit_test(compares_no_name_that_is_longer_than_names_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
