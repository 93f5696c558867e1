// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_name.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void keeps_names_that_fit_and_cuts_others_between_characters(void **state)
{
    static const struct {
        const char *username, *name;
    } rows[] = {
        {"", ""},
        {"alice", "alice"},
        {"1893456000:3f2504e0-4f89-11d3-9a0c-0305e82c3301",
         "1893456000:3f2504e0-4f89-11d3-9a0c-0305e82c3301"},
        {"1893456000:3f2504e0-4f89-11d3-9a0c-0305e82c3301x",
         "1893456000:3f2504e0-4f89-11d3-9a0c-0305e82c3\xe2\x80\xa6"},
        // A character of two bytes would be cut in its middle.
        {"1893456000:3f2504e0-4f89-11d3-9a0c-0305e82c\xc3\xa9xyz",
         "1893456000:3f2504e0-4f89-11d3-9a0c-0305e82c\xe2\x80\xa6"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct turn_name name = turn_name_of(bytes_of_text(rows[i].username));
        assert_true(bytes_equal_text(turn_name_bytes(&name), rows[i].name));
    }
}

static void bears_what_is_no_text(void **state)
{
    uint8_t username[508];

    (void)state;
    for (size_t i = 0; i < sizeof username; i++) {
        username[i] = 0x80;
    }
    const struct turn_name name = turn_name_of((struct bytes){username, sizeof username});
    assert_true(bytes_equal_text(turn_name_bytes(&name), "\xe2\x80\xa6"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_names_that_fit_and_cuts_others_between_characters),
        cmocka_unit_test(bears_what_is_no_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
