// SPDX-License-Identifier: Apache-2.0
#include "base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

// Writes a character; how many bytes it has (RFC 3629 section 3).
static size_t encode(uint32_t code, uint8_t out[4])
{
    if (code < 0x80) {
        out[0] = (uint8_t)code;
        return 1;
    }
    const size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t marks[] = {[2] = 0xc0, [3] = 0xe0, [4] = 0xf0};
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (uint8_t)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (uint8_t)(marks[len] | code);
    return len;
}

static void takes_every_character_and_no_surrogate(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x110000; code++) {
        uint8_t bytes[4];
        const size_t len = encode(code, bytes);
        const bool is_surrogate = code >= 0xd800 && code <= 0xdfff;
        const size_t read = utf8_len((struct bytes){bytes, len});
        if (read != (is_surrogate ? 0 : len)) {
            fail_msg("U+%04X has %zu bytes, not %zu", code, len, read);
        }
    }
}

static void refuses_what_is_no_character(void **state)
{
    static const struct bytes cases[] = {
        BYTES_LITERAL("\x80"),             // behind nothing
        BYTES_LITERAL("\xc0\xaf"),         // overlong
        BYTES_LITERAL("\xc1\xbf"),         // likewise
        BYTES_LITERAL("\xe0\x9f\xbf"),     // likewise
        BYTES_LITERAL("\xf0\x8f\xbf\xbf"), // likewise
        BYTES_LITERAL("\xed\xa0\x80"),     // a surrogate
        BYTES_LITERAL("\xf4\x90\x80\x80"), // above U+10FFFF
        BYTES_LITERAL("\xf5\x80\x80\x80"), // likewise
        BYTES_LITERAL("\xff"),             // never
        BYTES_LITERAL("\xc3"),             // cut off
        BYTES_LITERAL("\xe2\x82"),         // likewise
        BYTES_LITERAL("\xf0\x9f\x98"),     // likewise
        BYTES_LITERAL("\xc3("),            // another one follows
        BYTES_LITERAL("\xe2\x82("),        // likewise
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(utf8_len(cases[i]), 0);
    }
}

static void a_text_has_nothing_but_characters(void **state)
{
    (void)state;
    assert_true(utf8_is_text(bytes_of_text("")));
    assert_true(utf8_is_text(bytes_of_text("a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80")));
    assert_false(utf8_is_text(bytes_of_text("a\xc3")));
    assert_false(utf8_is_text(bytes_of_text("\xa4z")));
    assert_false(utf8_is_text(bytes_of_text("\xe2\x82\xac\xe2\x82")));
}

static void knows_what_steers_terminals(void **state)
{
    (void)state;
    for (uint32_t code = 0; code < 0x200; code++) {
        uint8_t bytes[4];
        const size_t len = encode(code, bytes);
        const bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        assert_int_equal(utf8_is_control((struct bytes){bytes, len}), is_control);
    }
}

static void knows_what_can_be_shown(void **state)
{
    static const struct {
        struct bytes text;
        bool is_printable;
    } rows[] = {
        {BYTES_LITERAL(""), true},           {BYTES_LITERAL("relay"), true},
        {BYTES_LITERAL("n\xc3\xa4h"), true}, {BYTES_LITERAL("a\0b"), false},
        {BYTES_LITERAL("a\x1b[1m"), false},  {BYTES_LITERAL("\x7f"), false},
        {BYTES_LITERAL("\xc2\x9b"), false},  {BYTES_LITERAL("a\xc3"), false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(utf8_is_printable(rows[i].text), rows[i].is_printable);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_what_can_be_shown),
        cmocka_unit_test(takes_every_character_and_no_surrogate),
        cmocka_unit_test(refuses_what_is_no_character),
        cmocka_unit_test(a_text_has_nothing_but_characters),
        cmocka_unit_test(knows_what_steers_terminals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
