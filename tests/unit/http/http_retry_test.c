// SPDX-License-Identifier: Apache-2.0
#include "http/http_retry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { NOW_S = 784111777 }; // Sun, 06 Nov 1994 08:49:37 GMT

static void reads_seconds_and_dates(void **state)
{
    static const struct {
        const char *text;
        uint64_t wanted_s;
    } cases[] = {
        {"0", 0},
        {"1", 1},
        {" 120 ", 120},
        {"1000000000", HTTP_RETRY_MAX_S},
        {"1000000001", HTTP_RETRY_MAX_S},
        {"99999999999999999999999", HTTP_RETRY_MAX_S},
        {"Fri, 31 Dec 9999 23:59:59 GMT", HTTP_RETRY_MAX_S},
        {"Sunday, 06-Nov-94 08:49:38 GMT", 1},
        {"Sun Nov  6 08:49:39 1994", 2},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {"Sun, 06 Nov 1994 08:49:38 GMT", 1},
        {"Mon, 07 Nov 1994 08:49:37 GMT", 86400},
        {"Sun, 06 Nov 1994 08:49:36 GMT", 0}, // it is over
        {"Fri, 01 Jan 1904 00:00:00 GMT", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint64_t seconds = 4711;
        assert_true(http_retry_read(bytes_of_text(cases[i].text), NOW_S, &seconds));
        assert_int_equal(seconds, cases[i].wanted_s);
    }
}

static void refuses_all_else(void **state)
{
    static const char *const texts[] = {
        "",
        " ",
        "-1",
        "1.5",
        "1 2",
        "soon",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT+1",
        "Sun, 06 Nov 1994 08:49:37 GMT                                              and more",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        uint64_t seconds = 4711;
        assert_false(http_retry_read(bytes_of_text(texts[i]), NOW_S, &seconds));
        assert_int_equal(seconds, 4711);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_seconds_and_dates),
        cmocka_unit_test(refuses_all_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
