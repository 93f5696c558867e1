// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_text.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/daemon_file.h"

static char folder[64];
static char path[96];

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/tunnel_text_XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    IGNORE(unlink(path));
    return rmdir(folder); // nothing else was left there
}

static void reads_what_was_written(void **state)
{
    static const char *const texts[] = {"first\n", "", "another one, which is longer\n", "x"};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        struct bytes text = {0};
        struct stat stat_;

        assert_int_equal(tunnel_text_write(path, bytes_of_text(texts[i]), i % 2 == 0), 0);
        assert_int_equal(daemon_file_read(path, &text), 0);
        assert_true(bytes_equal_text(text, texts[i]));
        daemon_file_free(&text);
        assert_int_equal(stat(path, &stat_), 0);
        assert_int_equal(stat_.st_mode & 07777, 0600);
    }
}

static void tells_what_cannot_be(void **state)
{
    const struct bytes text = {0};
    char long_path[5000];

    (void)state;
    memset(long_path, 'a', sizeof long_path - 1);
    long_path[sizeof long_path - 1] = '\0';
    assert_int_equal(tunnel_text_write(long_path, text, true), -ENAMETOOLONG);
    assert_int_equal(tunnel_text_write("/nowhere/at/all", text, true), -ENOENT);
}

static void leaves_nothing_behind_where_it_fails(void **state)
{
    (void)state;
    assert_int_equal(mkdir(path, 0700), 0); // a directory is in the way
    assert_int_equal(tunnel_text_write(path, bytes_of_text("text"), false), -EISDIR);
    assert_int_equal(rmdir(path), 0);
}

// No file of ours gets longer, as if the disk were full there.
static int add_up_to(size_t len, const char *text)
{
    struct rlimit former;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &former), 0);
    const struct rlimit limit = {.rlim_cur = len, .rlim_max = former.rlim_max};
    assert_true(signal(SIGXFSZ, SIG_IGN) != SIG_ERR);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const int error = tunnel_text_add(path, bytes_of_text(text));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &former), 0);
    return error;
}

static void adds_a_line_or_nothing_of_it(void **state)
{
    static const char *const whole = "first\nsecond\n";

    (void)state;
    for (size_t room = 0; room < strlen(whole); room++) {
        const char *kept = room < strlen("first\n") ? "" : "first\n";
        struct bytes text = {0};

        IGNORE(unlink(path));
        assert_int_equal(add_up_to(room, "first\n"), kept[0] == '\0' ? -EFBIG : 0);
        assert_int_equal(add_up_to(room, "second\n"), -EFBIG);
        assert_int_equal(daemon_file_read(path, &text), 0);
        assert_true(bytes_equal_text(text, kept));
        daemon_file_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_what_was_written, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(tells_what_cannot_be, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(leaves_nothing_behind_where_it_fails, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(adds_a_line_or_nothing_of_it, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
