// SPDX-License-Identifier: Apache-2.0
// The oracle is libc's gmtime_r() and strftime().
#define _GNU_SOURCE
#include "http/http_date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <time.h>

#include <cmocka.h>

enum { NOW_S = 1700000000 }; // in November 2023

// RFC 9110 section 5.6.7.
static void reads_one_moment_in_each_form(void **state)
{
    static const char *const texts[] = {
        "Sun, 06 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-94 08:49:37 GMT",
        "Sun Nov  6 08:49:37 1994",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        int64_t then_s = 0;
        assert_true(http_date_read(bytes_of_text(texts[i]), NOW_S, &then_s));
        assert_int_equal(then_s, 784111777);
    }
}

static void reads_what_libc_writes(void **state)
{
    const int64_t end_s = INT64_C(253402300799); // the last second of 9999

    (void)state;
    for (int64_t at_s = INT64_C(-62135596800); at_s <= end_s; at_s += 12345678) { // from year 1 on
        const time_t time_s = (time_t)at_s;
        struct tm parts;
        char texts[2][64];
        assert_non_null(gmtime_r(&time_s, &parts));
        if (parts.tm_year < 1000 - 1900) {
            continue; // strftime() writes those with fewer digits
        }
        assert_true(strftime(texts[0], sizeof texts[0], "%a, %d %b %Y %H:%M:%S GMT", &parts) > 0);
        assert_true(strftime(texts[1], sizeof texts[1], "%a %b %e %H:%M:%S %Y", &parts) > 0);
        for (size_t i = 0; i < COUNT_OF(texts); i++) {
            int64_t then_s = 0;
            assert_true(http_date_read(bytes_of_text(texts[i]), NOW_S, &then_s));
            assert_int_equal(then_s, at_s);
        }
    }
}

static void writes_what_libc_writes(void **state)
{
    const int64_t end_s = INT64_C(253402300799);

    (void)state;
    for (int64_t at_s = INT64_C(-30610224000); at_s <= end_s; at_s += 1234567) { // from 1000 on
        const time_t time_s = (time_t)at_s;
        struct tm parts;
        char text[64];
        uint8_t room[HTTP_DATE_LEN];
        struct wr wr = wr_init(room, sizeof room);
        assert_non_null(gmtime_r(&time_s, &parts));
        assert_true(strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &parts) > 0);
        http_date_write(&wr, at_s);
        assert_true(bytes_equal_text(wr_done(&wr), text));
    }
}

static void writes_its_first_and_last_second(void **state)
{
    static const struct {
        int64_t at_s;
        const char *text;
    } table[] = {
        {INT64_C(-62135596800), "Mon, 01 Jan 0001 00:00:00 GMT"},
        {INT64_C(-62104060801), "Mon, 31 Dec 0001 23:59:59 GMT"},
        {INT64_C(253402300799), "Fri, 31 Dec 9999 23:59:59 GMT"},
        {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
        {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},
        {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        uint8_t room[HTTP_DATE_LEN];
        struct wr wr = wr_init(room, sizeof room);
        http_date_write(&wr, table[i].at_s);
        assert_true(bytes_equal_text(wr_done(&wr), table[i].text));
    }
}

static void a_year_of_two_digits_is_no_more_than_50_years_ahead(void **state)
{
    static const struct {
        const char *text;
        int year;
    } cases[] = {
        {"Monday, 01-Jan-23 00:00:00 GMT", 2023}, {"Monday, 01-Jan-24 00:00:00 GMT", 2024},
        {"Monday, 01-Jan-73 00:00:00 GMT", 2073}, {"Monday, 01-Jan-74 00:00:00 GMT", 1974},
        {"Monday, 01-Jan-99 00:00:00 GMT", 1999}, {"Monday, 01-Jan-00 00:00:00 GMT", 2000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct tm parts = {.tm_year = cases[i].year - 1900, .tm_mday = 1};
        int64_t then_s = 0;
        assert_true(http_date_read(bytes_of_text(cases[i].text), NOW_S, &then_s));
        assert_int_equal(then_s, timegm(&parts));
    }
}

static void refuses_all_else(void **state)
{
    static const char *const texts[] = {
        "",
        "Sun",
        "Sun, 06 Nov 1994 08:49:37",
        "Sun, 06 Nov 1994 08:49:37 GMT ",
        "Sun, 06 Nov 1994 08:49:37 UTC",
        "Sun, 6 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 94 08:49:37 GMT",
        "Sun, 06-Nov-1994 08:49:37 GMT",
        "sun, 06 nov 1994 08:49:37 gmt",
        "Son, 06 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:00:00 GMT",
        "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT",
        "Sun, 31 Nov 1994 08:49:37 GMT",
        "Sun, 29 Feb 1900 08:49:37 GMT",
        "Sun, -6 Nov 1994 08:49:37 GMT",
        "Sunday, 06-Nov-1994 08:49:37 GMT",
        "Sun Nov 6 08:49:37 1994",
        "Sun Nov  06 08:49:37 1994",
        "Sun Nov  6 08:49:37 1994 GMT",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        int64_t then_s = 4711;
        assert_false(http_date_read(bytes_of_text(texts[i]), NOW_S, &then_s));
        assert_int_equal(then_s, 4711);
    }
}

static void knows_leap_years_and_leap_seconds(void **state)
{
    int64_t then_s = 0;

    (void)state;
    assert_true(http_date_read(bytes_of_text("Tue, 29 Feb 2000 23:59:60 GMT"), NOW_S, &then_s));
    assert_int_equal(then_s, 951868800);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_one_moment_in_each_form),
        cmocka_unit_test(reads_what_libc_writes),
        cmocka_unit_test(writes_what_libc_writes),
        cmocka_unit_test(writes_its_first_and_last_second),
        cmocka_unit_test(a_year_of_two_digits_is_no_more_than_50_years_ahead),
        cmocka_unit_test(refuses_all_else),
        cmocka_unit_test(knows_leap_years_and_leap_seconds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
