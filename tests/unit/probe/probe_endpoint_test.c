// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_endpoint.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/macro.h"

static void reads_each_form(void **state)
{
    static const struct {
        const char *text;
        const char *wanted;
    } rows[] = {
        {"192.0.2.1", "192.0.2.1:3478"},        {"192.0.2.1:5349", "192.0.2.1:5349"},
        {"2001:db8::1", "[2001:db8::1]:3478"},  {"[2001:db8::1]", "[2001:db8::1]:3478"},
        {"[2001:db8::1]:1", "[2001:db8::1]:1"}, {"192.0.2.1:65535", "192.0.2.1:65535"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct addr addr = {0};
        uint8_t text[ADDR_TEXT_MAX];
        struct wr wr = wr_init(text, sizeof text);
        assert_true(probe_endpoint_read(bytes_of_text(rows[i].text), &addr));
        addr_write(&wr, &addr);
        assert_true(bytes_equal_text(wr_done(&wr), rows[i].wanted));
    }
}

static void refuses_all_else(void **state)
{
    static const char *const texts[] = {
        "",        "192.0.2.1:",    "192.0.2.1:0",  "192.0.2.1:65536", "192.0.2",
        "[::1",    "[192.0.2.1:1]", "::1]:1",       "[::1]1",          "localhost",
        "[]:3478", "192.0.2.1:1:2", "192.0.2.1:+1",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct addr addr = {.port = 7};
        assert_false(probe_endpoint_read(bytes_of_text(texts[i]), &addr));
        assert_int_equal(addr.port, 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_form),
        cmocka_unit_test(refuses_all_else),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
