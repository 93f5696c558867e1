// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_access.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static char path[64];

static int make_file(void **state)
{
    (void)state;
    strcpy(path, "/tmp/tunnel_access_XXXXXX");
    const int fd = mkstemp(path);
    return fd < 0 ? -1 : close(fd);
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void reads_a_list(void **state)
{
    struct tunnel_access access = {0};

    (void)state;
    write_file("# agents\ntoken laptop " HASH " ports=*\ncert any\n");
    assert_int_equal(tunnel_access_open(&access, bytes_of_text(path), false, NULL), 0);
    assert_int_equal(access.list.count, 2);
    assert_non_null(revtun_access_find_token(&access.list, bytes_of_text("laptop")));
    tunnel_access_close(&access);
    tunnel_access_close(&access);
}

static void a_list_of_nobody_is_one(void **state)
{
    static const char *const texts[] = {"", "# nobody", "\n\n"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct tunnel_access access = {0};

        write_file(texts[i]);
        assert_int_equal(tunnel_access_open(&access, bytes_of_text(path), false, NULL), 0);
        assert_int_equal(access.list.count, 0);
        tunnel_access_close(&access);
    }
}

static void refuses_a_list_with_a_mistake(void **state)
{
    static char text[TUNNEL_ACCESS_TOLD_MAX];
    struct wr told = wr_init((uint8_t *)text, sizeof text - 1);
    struct tunnel_access access = {0};

    (void)state;
    write_file("token laptop " HASH " ports=*\ntoken laptop " HASH "\n");
    assert_int_equal(tunnel_access_open(&access, bytes_of_text(path), false, &told), -EBADMSG);
    assert_true(wr_ok(&told));
    assert_memory_equal(text, path, strlen(path));
    assert_string_equal(text + strlen(path), ": line 2: 'laptop' is there twice\n");
    assert_null(access.text.ptr);
    assert_int_equal(access.list.count, 0);
    assert_int_equal(tunnel_access_open(&access, bytes_of_text("/nowhere"), true, NULL), -ENOENT);
    assert_null(access.text.ptr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_a_list, make_file, remove_file),
        cmocka_unit_test_setup_teardown(a_list_of_nobody_is_one, make_file, remove_file),
        cmocka_unit_test_setup_teardown(refuses_a_list_with_a_mistake, make_file, remove_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
