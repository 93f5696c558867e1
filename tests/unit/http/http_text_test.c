// SPDX-License-Identifier: Apache-2.0
#include "http/http_text.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void knows_tokens(void **state)
{
    static const char *const good[] = {"GET", "x", "X-Forwarded-For", "a!#$%&'*+-.^_`|~9"};
    static const char *const bad[] = {"",      " ",   "a b", "a:",      "a\t",
                                      "\"a\"", "a/b", "a,b", "\xc3\xa4"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(http_text_is_token(bytes_of_text(good[i])));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(http_text_is_token(bytes_of_text(bad[i])));
    }
}

static void knows_what_is_visible(void **state)
{
    (void)state;
    assert_true(http_text_is_visible(bytes_of_text("")));
    assert_true(http_text_is_visible(bytes_of_text("/a?b=~!")));
    assert_false(http_text_is_visible(bytes_of_text("a b")));
    assert_false(http_text_is_visible(bytes_of_text("a\x7f")));
    assert_false(http_text_is_visible(bytes_of_text("\xc3\xa4")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_tokens),
        cmocka_unit_test(knows_what_is_visible),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
