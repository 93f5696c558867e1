// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_advice.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void knows_what_to_do_about_every_refusal(void **state)
{
    (void)state;
    for (enum turn_refusal i = TURN_REFUSAL_NONE + 1; i < TURN_REFUSAL_END; i++) {
        const char *words = turn_advice_words(i);
        assert_non_null(words);
        assert_non_null(strchr(".?", words[strlen(words) - 1]));
    }
}

static void tells_the_code_that_the_client_gets(void **state)
{
    (void)state;
    for (enum turn_refusal i = TURN_REFUSAL_NONE + 1; i < TURN_REFUSAL_END; i++) {
        const enum stun_error_code code = turn_advice_code(i);
        assert_string_not_equal(stun_error_reason(code), "");
        assert_int_equal(code == STUN_ERROR_UNAUTHENTICATED, turn_refusal_is_credential(i));
        if (turn_refusal_is_peer(i)) {
            assert_int_equal(code, STUN_ERROR_FORBIDDEN);
        }
    }
    assert_int_equal(turn_advice_code(TURN_REFUSAL_USER_QUOTA), STUN_ERROR_QUOTA_REACHED);
    assert_int_equal(turn_advice_code(TURN_REFUSAL_NO_ALLOCATION), STUN_ERROR_ALLOCATION_MISMATCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_to_do_about_every_refusal),
        cmocka_unit_test(tells_the_code_that_the_client_gets),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
