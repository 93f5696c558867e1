// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_refusal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void every_reason_has_words_of_its_own(void **state)
{
    (void)state;
    assert_null(revtun_refusal_words(REVTUN_REFUSAL_NONE));
    assert_null(revtun_refusal_words(REVTUN_REFUSAL_END));
    for (enum revtun_refusal i = REVTUN_REFUSAL_NONE + 1; i < REVTUN_REFUSAL_END; i++) {
        assert_non_null(revtun_refusal_words(i));
        for (enum revtun_refusal k = REVTUN_REFUSAL_NONE + 1; k < i; k++) {
            assert_string_not_equal(revtun_refusal_words(i), revtun_refusal_words(k));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_reason_has_words_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
