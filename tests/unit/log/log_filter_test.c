// SPDX-License-Identifier: Apache-2.0
#include "log/log_filter.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

// Sets it; the sentence that says what is wrong, or "".
static const char *set(const char *text)
{
    static char said[LOG_FILTER_ERROR_MAX + 1];
    struct wr error = wr_init((uint8_t *)said, LOG_FILTER_ERROR_MAX);

    const bool is_set = log_filter_set(bytes_of_text(text), &error);
    assert_int_equal(is_set, error.len == 0);
    assert_true(wr_ok(&error));
    said[error.len] = '\0';
    return said;
}

static void is_info_until_it_is_set(void **state)
{
    (void)state;
    assert_true(log_filter_allow("relay_crew.c", LOG_LEVEL_INFO));
    assert_false(log_filter_allow("relay_crew.c", LOG_LEVEL_DEBUG));
}

static void knows_files_by_their_names(void **state)
{
    (void)state;
    assert_string_equal(set("warn,relay=info,relay_crew=trace"), "");
    assert_true(log_filter_allow("relay_crew.c", LOG_LEVEL_TRACE));
    assert_true(log_filter_allow("relay_main.c", LOG_LEVEL_INFO));
    assert_false(log_filter_allow("relay_main.c", LOG_LEVEL_DEBUG));
    assert_true(log_filter_allow("xdp_table.c", LOG_LEVEL_WARN));
    assert_false(log_filter_allow("xdp_table.c", LOG_LEVEL_INFO));
    assert_string_equal(set("off"), "");
    assert_false(log_filter_allow("relay_crew.c", LOG_LEVEL_ERROR));
    log_filter_set_level(LOG_LEVEL_DEBUG);
    assert_true(log_filter_allow("xdp_table.c", LOG_LEVEL_DEBUG));
    assert_false(log_filter_allow("relay_crew.c", LOG_LEVEL_TRACE));
}

static void stays_as_it_was_when_the_text_is_wrong(void **state)
{
    (void)state;
    assert_string_equal(set("warn"), "");
    assert_string_equal(set("trace,relay=loud"),
                        "'relay=loud' has no level out of off, error, warn, info, debug and trace");
    assert_false(log_filter_allow("relay_crew.c", LOG_LEVEL_INFO));
    assert_true(log_filter_allow("relay_crew.c", LOG_LEVEL_WARN));
}

static void repeats_no_more_than_is_readable(void **state)
{
    (void)state;
    assert_string_equal(set("a\x1b\n\"\xff;"),
                        "'a??\"?;' is no directive; one is LEVEL, TARGET or TARGET=LEVEL");
    assert_string_equal(
        set(";123456789012345678901234567890123456789012345678901234567890123456789"),
        "';123456789012345678901234567890123456789012345678901234567890123...' is no directive; "
        "one "
        "is LEVEL, TARGET or TARGET=LEVEL");
}

static atomic_bool is_over;

// What passes both filters of the test below passes at every moment.
static void *ask(void *context)
{
    size_t *asked_count = context;

    while (!atomic_load(&is_over) || *asked_count == 0) {
        if (!log_filter_allow("relay_crew.c", LOG_LEVEL_INFO) ||
            log_filter_allow("relay_crew.c", LOG_LEVEL_TRACE)) {
            return NULL;
        }
        (*asked_count)++;
    }
    return context;
}

static void is_replaced_while_others_ask(void **state)
{
    pthread_t threads[2];
    size_t asked_counts[COUNT_OF(threads)] = {0};

    (void)state;
    assert_string_equal(set("error,relay=info"), "");
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &asked_counts[i]), 0);
    }
    for (int i = 0; i < 1000; i++) {
        assert_string_equal(set(i % 2 == 0 ? "error,relay=debug" : "warn,relay_c=info"), "");
    }
    atomic_store(&is_over, true);
    for (size_t i = 0; i < COUNT_OF(threads); i++) {
        void *result = NULL;
        assert_int_equal(pthread_join(threads[i], &result), 0);
        assert_ptr_equal(result, &asked_counts[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_info_until_it_is_set),
        cmocka_unit_test(knows_files_by_their_names),
        cmocka_unit_test(stays_as_it_was_when_the_text_is_wrong),
        cmocka_unit_test(repeats_no_more_than_is_readable),
        cmocka_unit_test(is_replaced_while_others_ask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
