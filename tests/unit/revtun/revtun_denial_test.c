// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_denial.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void has_words_for_each_that_fit(void **state)
{
    static uint8_t given[300];

    (void)state;
    memset(given, 'x', sizeof given);
    for (int kind = REVTUN_DENIAL_NONE + 1; kind < REVTUN_DENIAL_END; kind++) {
        const struct revtun_denial denial = {
            .kind = (enum revtun_denial_kind)kind,
            .given = {given, sizeof given},
            .number = UINT64_MAX,
        };
        uint8_t text[REVTUN_DENIAL_TEXT_MAX];
        struct wr wr = wr_init(text, sizeof text);

        revtun_denial_write(&wr, &denial);
        assert_true(wr_ok(&wr));
        assert_int_not_equal(wr.len, 0);
        assert_true(revtun_denial_code(denial.kind) != REVTUN_MESSAGE_CODE_OTHER);
    }
}

static void names_the_field_that_is_denied(void **state)
{
    (void)state;
    assert_string_equal(revtun_denial_key(REVTUN_DENIAL_NAME), "name");
    assert_string_equal(revtun_denial_key(REVTUN_DENIAL_PORT), "port");
    assert_string_equal(revtun_denial_key(REVTUN_DENIAL_HOST), "hosts");
    assert_null(revtun_denial_key(REVTUN_DENIAL_TUNNELS));
    assert_int_equal(revtun_denial_code(REVTUN_DENIAL_HOST), REVTUN_MESSAGE_CODE_DENIED);
    assert_int_equal(revtun_denial_code(REVTUN_DENIAL_HOSTS), REVTUN_MESSAGE_CODE_QUOTA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_words_for_each_that_fit),
        cmocka_unit_test(names_the_field_that_is_denied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
