// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/macro.h"

static void numbers_are_short(void **state)
{
    static const struct {
        uint64_t value;
        const char *text;
    } rows[] = {
        {0, "0"},
        {999, "999"},
        {1000, "1.0k"},
        {9949, "9.9k"},
        {9950, "10k"},
        {999499, "999k"},
        {999500, "1.0M"},
        {1234567, "1.2M"},
        {2000000000, "2.0G"},
        {UINT64_MAX, "18E"},
    };
    char text[DAEMON_SCREEN_NUMBER_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_string_equal(daemon_screen_number(text, rows[i].value), rows[i].text);
    }
}

static void lines_are_cut_to_its_width(void **state)
{
    uint8_t text[64];
    struct wr wr = wr_init(text, sizeof text);

    (void)state;
    daemon_screen_line(&wr, bytes_of_text("12345"), 4);
    daemon_screen_line(&wr, bytes_of_text("12345"), 5);
    daemon_screen_line(&wr, bytes_of_text("12345"), 4096);
    assert_true(bytes_equal_text(wr_done(&wr), "1234\n12345\n12345\n"));
}

static void only_a_terminal_is_cleared(void **state)
{
    const struct daemon_screen file = {.is_terminal = false};
    const struct daemon_screen terminal = {.is_terminal = true};
    uint8_t text[64];
    struct wr wr = wr_init(text, sizeof text);

    (void)state;
    daemon_screen_begin(&file, &wr);
    assert_int_equal(wr_done(&wr).len, 0);
    daemon_screen_begin(&terminal, &wr);
    assert_true(wr_done(&wr).len > 0);
}

struct shown {
    uint32_t count;
    struct daemon_screen screen;
    bool is_good;
};

static bool show(void *context, const struct daemon_screen *screen)
{
    struct shown *shown = context;

    shown->count++;
    shown->screen = *screen;
    return shown->is_good;
}

static void shows_once_what_is_asked_for_once(void **state)
{
    struct shown shown = {.is_good = true};

    (void)state;
    assert_int_equal(daemon_screen_run(true, show, &shown), EXIT_SUCCESS);
    assert_int_equal(shown.count, 1);
    assert_false(shown.screen.is_terminal);
    assert_int_equal(shown.screen.rows, 0);
    shown.is_good = false;
    assert_int_equal(daemon_screen_run(true, show, &shown), EXIT_FAILURE);
    assert_int_equal(shown.count, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_short),
        cmocka_unit_test(lines_are_cut_to_its_width),
        cmocka_unit_test(only_a_terminal_is_cleared),
        cmocka_unit_test(shows_once_what_is_asked_for_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
