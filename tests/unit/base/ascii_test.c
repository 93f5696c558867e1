// SPDX-License-Identifier: Apache-2.0
// The oracle for single characters is libc's, in the locale C.
#include "base/ascii.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void judges_every_byte_as_libc_does(void **state)
{
    (void)state;
    for (int c = 0; c <= UINT8_MAX; c++) {
        const char text[] = {(char)c, '\0'};
        const uint8_t one = (uint8_t)c;
        assert_int_equal(ascii_lower(one), tolower(c));
        assert_int_equal(ascii_is_digit(one), isdigit(c) != 0);
        assert_int_equal(ascii_is_alphanumeric(one), isalnum(c) != 0);
        assert_int_equal(ascii_hex_digit(one),
                         isxdigit(c) != 0 ? strtol(text, NULL, 16) : ASCII_NO_DIGIT);
    }
}

static void knows_what_a_text_consists_of(void **state)
{
    static const struct bytes nul = BYTES_LITERAL("a\0b");

    (void)state;
    assert_true(ascii_has_only(bytes_of_text(""), ""));
    assert_true(ascii_has_only(bytes_of_text("azAZ09"), ""));
    assert_true(ascii_has_only(bytes_of_text("a-b"), ".-"));
    assert_false(ascii_has_only(bytes_of_text("a-b"), "."));
    assert_false(ascii_has_only(bytes_of_text("\xe4"), "."));
    assert_false(ascii_has_only(nul, ".-"));
}

static void compares_words_in_any_case(void **state)
{
    (void)state;
    assert_true(ascii_is_same(bytes_of_text("Content-LENGTH"), "content-length"));
    assert_true(ascii_is_same(bytes_of_text(""), ""));
    assert_false(ascii_is_same(bytes_of_text("content-lengt"), "content-length"));
    assert_false(ascii_is_same(bytes_of_text("content-lengthy"), "content-length"));
    assert_false(ascii_is_same(bytes_of_text("content_length"), "content-length"));
    assert_false(ascii_is_same(bytes_of_text(""), "host"));
    assert_false(ascii_is_same(bytes_of_text("["), "{")); // as far apart as the cases are
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(judges_every_byte_as_libc_does),
        cmocka_unit_test(knows_what_a_text_consists_of),
        cmocka_unit_test(compares_words_in_any_case),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
