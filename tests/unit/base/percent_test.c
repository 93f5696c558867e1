// SPDX-License-Identifier: Apache-2.0
#include "base/percent.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

static bool decode(const char *text, size_t room, struct bytes *out)
{
    static uint8_t memory[16];
    struct wr wr = wr_init(memory, room);
    const bool is_decoded = percent_decode(bytes_of_text(text), &wr);

    *out = wr_done(&wr);
    return is_decoded;
}

static void decodes(void **state)
{
    static const struct {
        const char *text;
        const char *decoded;
    } cases[] = {
        {"", ""},
        {"a+b", "a+b"},
        {"%2C%2c", ",,"},
        {"%25%32%43", "%2C"}, // once, and not again
        {"a%c3%A4", "a\xc3\xa4"},
        {"%e2%82%AC.", "\xe2\x82\xac."},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct bytes decoded = {0};
        assert_true(decode(cases[i].text, 16, &decoded));
        assert_true(bytes_equal_text(decoded, cases[i].decoded));
    }
}

static void every_byte_has_its_two_digits(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte <= UINT8_MAX; byte++) {
        char text[4];
        uint8_t written[3];
        struct wr wr = wr_init(written, sizeof written);
        struct bytes decoded = {0};
        snprintf(text, sizeof text, byte % 2 ? "%%%02X" : "%%%02x", byte);
        assert_true(decode(text, 1, &decoded));
        assert_int_equal(decoded.len, 1);
        assert_int_equal(decoded.ptr[0], byte);
        percent_write(&wr, (uint8_t)byte);
        snprintf(text, sizeof text, "%%%02X", byte);
        assert_true(bytes_equal_text(wr_done(&wr), text));
    }
}

static void refuses_a_percent_without_digits(void **state)
{
    static const char *const texts[] = {"%",   "%4",   "a%",   "a%4", "%4g",
                                        "%g4", "%%41", "% 41", "%-1"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct bytes decoded = {0};
        struct bytes text = bytes_of_text(texts[i]);
        uint8_t byte = 47;
        assert_false(decode(texts[i], 16, &decoded));
        if (text.ptr[0] == '%') {
            assert_false(percent_take(&text, &byte));
            assert_int_equal(byte, 47);
            assert_true(bytes_equal_text(text, texts[i]));
        }
    }
}

static void writes_no_more_than_there_is_room(void **state)
{
    struct bytes decoded = {0};

    (void)state;
    assert_true(decode("a%41", 2, &decoded));
    assert_false(decode("a%41b", 2, &decoded));
    assert_true(bytes_equal_text(decoded, "aA"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decodes),
        cmocka_unit_test(every_byte_has_its_two_digits),
        cmocka_unit_test(refuses_a_percent_without_digits),
        cmocka_unit_test(writes_no_more_than_there_is_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
