// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"

static void writes_strings_that_read_as_what_they_were(void **state)
{
    static const struct {
        struct bytes text;
        const char *written;
    } cases[] = {
        {BYTES_LITERAL(""), "\"\""},
        {BYTES_LITERAL("alice"), "\"alice\""},
        {BYTES_LITERAL("a\"b\\c/d"), "\"a\\\"b\\\\c/d\""},
        {BYTES_LITERAL("\n\t\x1f\x01 "), "\"\\u000a\\u0009\\u001f\\u0001 \""},
        {BYTES_LITERAL("\xc3\xa9"), "\"\xc3\xa9\""},
    };
    uint8_t memory[64];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct wr wr = wr_init(memory, sizeof memory);
        daemon_json_string_write(&wr, cases[i].text);
        assert_true(wr_ok(&wr));
        host_expect_text(wr_done(&wr), cases[i].written);
        for (size_t room = 0; room < strlen(cases[i].written); room++) {
            wr = wr_init(memory, room);
            daemon_json_string_write(&wr, cases[i].text);
            assert_false(wr_ok(&wr));
        }
    }
}

static void writes_numbers_as_further_members(void **state)
{
    uint8_t memory[64];
    struct wr wr = wr_init(memory, sizeof memory);

    (void)state;
    daemon_json_number_write(&wr, "none", 0);
    daemon_json_number_write(&wr, "all", UINT64_MAX);
    host_expect_text(wr_done(&wr), ",\"none\":0,\"all\":18446744073709551615");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_strings_that_read_as_what_they_were),
        cmocka_unit_test(writes_numbers_as_further_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
