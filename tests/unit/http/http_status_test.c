// SPDX-License-Identifier: Apache-2.0
#include "http/http_status.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "support/dies.h"

static void ask_for_another(void *context)
{
    (void)context;
    (void)http_status_phrase((enum http_status)299);
}

static void has_the_phrases_of_the_rfc(void **state)
{
    (void)state;
    assert_string_equal(http_status_phrase(HTTP_STATUS_OK), "OK");
    assert_string_equal(http_status_phrase(HTTP_STATUS_NOT_FOUND), "Not Found");
    assert_string_equal(http_status_phrase(HTTP_STATUS_CONTENT_TOO_LARGE), "Content Too Large");
    assert_string_equal(http_status_phrase(HTTP_STATUS_FIELDS_TOO_LARGE),
                        "Request Header Fields Too Large");
    assert_string_equal(http_status_phrase(HTTP_STATUS_UNAVAILABLE), "Service Unavailable");
    assert_true(dies(ask_for_another, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_the_phrases_of_the_rfc),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
