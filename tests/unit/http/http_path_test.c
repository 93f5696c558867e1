// SPDX-License-Identifier: Apache-2.0
#include "http/http_path.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/macro.h"

static void becomes_the_path_of_a_file(void **state)
{
    static const struct {
        const char *path;
        const char *file;
    } table[] = {
        {"/", ""},
        {"//", ""},
        {"/./", ""},
        {"/a", "a"},
        {"/a/", "a/"},
        {"/a/b.txt", "a/b.txt"},
        {"//a///b//", "a/b/"},
        {"/a/./b", "a/b"},
        {"/a/%2e/b", "a/b"},
        {"/a/.", "a/"},
        {"/with%20space+plus", "with space+plus"},
        {"/%c3%a4", "\xc3\xa4"},
        {"/.hidden", ".hidden"},
        {"/...", "..."},
        {"/..a/b..", "..a/b.."},
        {"/%252e%252e/x", "%2e%2e/x"}, // once, and not again
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        uint8_t room[32];
        struct wr wr = wr_init(room, sizeof room);
        assert_int_equal(http_path_read(bytes_of_text(table[i].path), &wr), HTTP_PATH_GOOD);
        assert_true(bytes_equal_text(wr_done(&wr), table[i].file));
    }
}

static void never_leads_out(void **state)
{
    static const struct {
        const char *path;
        enum http_path_outcome outcome;
    } table[] = {
        {"/..", HTTP_PATH_OUTSIDE},        {"/../secret", HTTP_PATH_OUTSIDE},
        {"/a/../../b", HTTP_PATH_OUTSIDE}, {"/a/..", HTTP_PATH_OUTSIDE},
        {"/%2e%2e/x", HTTP_PATH_OUTSIDE},  {"/.%2E/x", HTTP_PATH_OUTSIDE},
        {"/..%2fx", HTTP_PATH_BAD},        {"/a%2F..%2Fb", HTTP_PATH_BAD},
        {"/a%00b", HTTP_PATH_BAD},         {"/%", HTTP_PATH_BAD},
        {"/a%4", HTTP_PATH_BAD},           {"/%zz", HTTP_PATH_BAD},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        uint8_t room[32];
        struct wr wr = wr_init(room, sizeof room);
        assert_int_equal(http_path_read(bytes_of_text(table[i].path), &wr), table[i].outcome);
    }
}

static void has_as_much_room_as_it_is_given(void **state)
{
    uint8_t room[4];
    struct wr wr = wr_init(room, sizeof room);

    (void)state;
    assert_int_equal(http_path_read(bytes_of_text("/abcd"), &wr), HTTP_PATH_GOOD);
    wr = wr_init(room, sizeof room);
    assert_int_equal(http_path_read(bytes_of_text("/abcd/"), &wr), HTTP_PATH_LONG);
    wr = wr_init(room, sizeof room);
    assert_int_equal(http_path_read(bytes_of_text("/abcde"), &wr), HTTP_PATH_LONG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(becomes_the_path_of_a_file),
        cmocka_unit_test(never_leads_out),
        cmocka_unit_test(has_as_much_room_as_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
