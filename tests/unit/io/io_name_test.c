// SPDX-License-Identifier: Apache-2.0
#include "io/io_name.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { CAPACITY = 8 };

// Literals, so that neither DNS nor the files of this host are asked.
static void finds_addresses_of_the_family_that_is_wanted(void **state)
{
    struct addr found[CAPACITY];
    size_t count = 0;

    (void)state;
    assert_int_equal(io_name_find("192.0.2.7", ADDR_NONE, found, CAPACITY, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(found[0].family, ADDR_IP4);
    assert_int_equal(found[0].port, 0);
    assert_int_equal(io_name_find("2001:db8::7", ADDR_IP6, found, 1, &count), 0);
    assert_int_equal(count, 1);
    assert_int_equal(found[0].family, ADDR_IP6);
}

static void says_why_there_is_none(void **state)
{
    struct addr found[CAPACITY];
    size_t count = 77;

    (void)state;
    const int error = io_name_find("192.0.2.7", ADDR_IP6, found, CAPACITY, &count);
    assert_int_not_equal(error, 0);
    assert_int_equal(count, 77);
    assert_true(strlen(io_name_why(error)) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_addresses_of_the_family_that_is_wanted),
        cmocka_unit_test(says_why_there_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
