// SPDX-License-Identifier: Apache-2.0
#include "talk/talk_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/macro.h"

static struct talk_log journal;

static void keeps_what_fits(void **state)
{
    const struct talk_log_entry entry = {.is_sent = true, .index = 1, .at_ns = 5};
    uint8_t bytes[TALK_LOG_BYTES + 100];

    (void)state;
    memset(bytes, 7, sizeof bytes);
    memset(&journal, 0, sizeof journal);
    talk_log_add(&journal, &entry, (struct bytes)BYTES_LITERAL("abc"));
    talk_log_add(&journal, &entry, (struct bytes){bytes, sizeof bytes});
    talk_log_add(&journal, &entry, (struct bytes){NULL, 0});
    assert_int_equal(talk_log_kept(&journal), 3);
    assert_true(bytes_equal_text(talk_log_bytes(&journal.entries[0]), "abc"));
    assert_int_equal(talk_log_bytes(&journal.entries[1]).len, TALK_LOG_BYTES);
    assert_int_equal(journal.entries[1].len, sizeof bytes);
    assert_int_equal(talk_log_bytes(&journal.entries[2]).len, 0);
    assert_true(journal.entries[0].is_sent);
    assert_int_equal(journal.entries[0].index, 1);
    assert_int_equal(journal.entries[0].at_ns, 5);
}

static void counts_what_does_not_fit(void **state)
{
    const struct talk_log_entry entry = {0};

    (void)state;
    memset(&journal, 0, sizeof journal);
    for (uint32_t i = 0; i < TALK_LOG_ENTRIES + 3; i++) {
        talk_log_add(&journal, &entry, (struct bytes)BYTES_LITERAL("x"));
    }
    assert_int_equal(journal.count, TALK_LOG_ENTRIES + 3);
    assert_int_equal(talk_log_kept(&journal), TALK_LOG_ENTRIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_what_fits),
        cmocka_unit_test(counts_what_does_not_fit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
