// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_file.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"

static char folder[] = "/tmp/daemon_file_test.XXXXXX";
static char path[sizeof folder + 16];

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

// A file of `len` bytes, each the low byte of its place.
static void make_file(size_t len)
{
    unlink(path); // it may be one that cannot be written to
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    for (size_t i = 0; i < len; i++) {
        assert_int_equal(putc((uint8_t)i, file), (uint8_t)i);
    }
    assert_int_equal(fclose(file), 0);
}

static void reads_a_file_of_any_length_up_to_the_limit(void **state)
{
    static const size_t lens[] = {0, 1, 4096, 100000, DAEMON_FILE_MAX - 1, DAEMON_FILE_MAX};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lens); i++) {
        struct bytes text = {0};

        make_file(lens[i]);
        assert_int_equal(daemon_file_read(path, &text), 0);
        assert_int_equal(text.len, lens[i]);
        for (size_t at = 0; at < text.len; at++) {
            assert_int_equal(text.ptr[at], (uint8_t)at);
        }
        daemon_file_free(&text);
        assert_null(text.ptr);
        assert_int_equal(text.len, 0);
        daemon_file_free(&text); // nothing is left to free
    }
}

static void refuses(const char *name, int error)
{
    const struct bytes before = BYTES_LITERAL("untouched");
    const size_t descriptors = host_descriptor_count();
    struct bytes text = before;

    assert_int_equal(daemon_file_read(name, &text), error);
    assert_ptr_equal(text.ptr, before.ptr);
    assert_int_equal(text.len, before.len);
    assert_int_equal(host_descriptor_count(), descriptors);
}

static void refuses_what_is_longer_than_the_limit(void **state)
{
    (void)state;
    make_file(DAEMON_FILE_MAX + 1);
    refuses(path, -EFBIG);
    refuses("/dev/zero", -EFBIG);
}

static void reads_more_of_its_own(void **state)
{
    struct bytes text = {0};

    (void)state;
    make_file(DAEMON_FILE_MAX + 1);
    assert_int_equal(daemon_file_read_most(path, DAEMON_FILE_MAX + 1, &text), 0);
    assert_int_equal(text.len, DAEMON_FILE_MAX + 1);
    daemon_file_free(&text);
    assert_int_equal(daemon_file_read_most(path, DAEMON_FILE_MAX, &text), -EFBIG);
}

static void tells_the_reasons_for_not_reading_apart(void **state)
{
    (void)state;
    unlink(path);
    refuses(path, -ENOENT);
    refuses("", -ENOENT);
    refuses(folder, -EISDIR);
    refuses("/dev/null/file", -ENOTDIR);
}

static void refuses_what_it_may_not_read(void **state)
{
    const bool is_root = geteuid() == 0;

    (void)state;
    make_file(5);
    assert_int_equal(chmod(path, 0), 0);
    // Root may read everything.
    assert_int_equal(is_root ? chmod(folder, 0755) : 0, 0);
    assert_int_equal(is_root ? seteuid(HOST_NOBODY) : 0, 0);
    struct bytes text = {0};
    const int error = daemon_file_read(path, &text);
    assert_int_equal(is_root ? seteuid(0) : 0, 0);
    assert_int_equal(error, -EACCES);
}

static void says_when_there_are_no_descriptors_left(void **state)
{
    struct bytes text = {0};

    (void)state;
    make_file(5);
    host_descriptor_limit(0);
    const int error = daemon_file_read(path, &text);
    host_descriptor_limit(-1);
    assert_int_equal(error, -EMFILE);
}

// Of a pipe nothing is left, and its next writer may never come.
static void reads_again_what_is_a_file_and_waits_for_no_pipe(void **state)
{
    const size_t descriptors = host_descriptor_count();
    struct bytes text = {0};

    (void)state;
    make_file(5);
    assert_int_equal(daemon_file_read_again(path, &text), 0);
    assert_int_equal(text.len, 5);
    daemon_file_free(&text);
    unlink(path);
    assert_int_equal(daemon_file_read_again(path, &text), -ENOENT);
    assert_int_equal(daemon_file_read_again(folder, &text), -EISDIR);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(daemon_file_read_again(path, &text), -ESPIPE);
    assert_null(text.ptr);
    assert_int_equal(daemon_file_read_again("/dev/null", &text), 0);
    assert_int_equal(text.len, 0);
    daemon_file_free(&text);
    assert_int_equal(host_descriptor_count(), descriptors);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_file_of_any_length_up_to_the_limit),
        cmocka_unit_test(refuses_what_is_longer_than_the_limit),
        cmocka_unit_test(reads_more_of_its_own),
        cmocka_unit_test(tells_the_reasons_for_not_reading_apart),
        cmocka_unit_test(refuses_what_it_may_not_read),
        cmocka_unit_test(says_when_there_are_no_descriptors_left),
        cmocka_unit_test(reads_again_what_is_a_file_and_waits_for_no_pipe),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
