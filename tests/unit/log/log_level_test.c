// SPDX-License-Identifier: Apache-2.0
#include "log/log_level.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void reads_its_own_words_in_any_case(void **state)
{
    static const char *const words[] = {"ERROR", "Warn", "info", "deBug", "tracE"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        enum log_level level = LOG_LEVEL_ERROR;
        assert_true(log_level_read(bytes_of_text(words[i]), &level));
        assert_int_equal(level, i);
        assert_true(log_level_read(bytes_of_text(log_level_text(level)), &level));
        assert_int_equal(level, i);
    }
}

static void refuses_all_other_words(void **state)
{
    static const char *const words[] = {"", "inf", "info ", "infos", "warning", "3", "relay=debug"};
    enum log_level level = LOG_LEVEL_TRACE;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        assert_false(log_level_read(bytes_of_text(words[i]), &level));
    }
    assert_int_equal(level, LOG_LEVEL_TRACE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_its_own_words_in_any_case),
        cmocka_unit_test(refuses_all_other_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
