// SPDX-License-Identifier: Apache-2.0
#include "http/http_query.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_found(const char *query, const char *name, const char *value)
{
    uint8_t room[32];
    struct wr wr = wr_init(room, sizeof room);

    assert_int_equal(http_query_find(bytes_of_text(query), name, &wr), HTTP_QUERY_FOUND);
    assert_true(bytes_equal_text(wr_done(&wr), value));
}

static void assert_outcome(const char *query, enum http_query_outcome outcome)
{
    uint8_t room[4];
    struct wr wr = wr_init(room, sizeof room);

    assert_int_equal(http_query_find(bytes_of_text(query), "a", &wr), outcome);
}

static void finds_and_decodes(void **state)
{
    (void)state;
    assert_found("a=b", "a", "b");
    assert_found("x=y&a=b&z", "a", "b");
    assert_found("a", "a", "");
    assert_found("a=", "a", "");
    assert_found("&&a=b&", "a", "b");
    assert_found("ab=1&a=2", "a", "2");
    assert_found("directives=info,relay=debug", "directives", "info,relay=debug");
    assert_found("directives=info%2Crelay%3ddebug", "directives", "info,relay=debug");
    assert_found("a=b+c%2B%20%c3%A4", "a", "b c+ \xc3\xa4");
}

static void says_what_is_wrong(void **state)
{
    (void)state;
    assert_outcome("", HTTP_QUERY_ABSENT);
    assert_outcome("b=a", HTTP_QUERY_ABSENT);
    assert_outcome("A=1", HTTP_QUERY_ABSENT);
    assert_outcome("a=%", HTTP_QUERY_BAD);
    assert_outcome("a=%4", HTTP_QUERY_BAD);
    assert_outcome("a=%4&1", HTTP_QUERY_BAD);
    assert_outcome("a=%4g", HTTP_QUERY_BAD);
    assert_outcome("a=%g4", HTTP_QUERY_BAD);
    assert_outcome("a=b%00c", HTTP_QUERY_BAD);
    assert_outcome("a=1&a=2", HTTP_QUERY_TWICE);
    assert_outcome("a&a", HTTP_QUERY_TWICE);
    assert_outcome("a=1234", HTTP_QUERY_FOUND);
    assert_outcome("a=12345", HTTP_QUERY_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_and_decodes),
        cmocka_unit_test(says_what_is_wrong),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
