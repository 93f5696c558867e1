// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_files.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fd.h"

static char folder[] = "/tmp/fairlead-files-XXXXXX";
static int root_fd = -1;

static void file_make(const char *path, const char *text)
{
    const int fd = openat(root_fd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

// secret, open/hello, open/<&">, open/deep/x, and links and a FIFO in open; root_fd is open.
static int make(void **state)
{
    char open_path[sizeof folder + 8];

    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    root_fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    file_make("secret", "secret");
    assert_int_equal(mkdirat(root_fd, "open", 0700), 0);
    assert_int_equal(mkdirat(root_fd, "open/deep", 0700), 0);
    file_make("open/hello", "hello");
    file_make("open/<&\">", "");
    file_make("open/deep/x", "");
    assert_int_equal(symlinkat("../secret", root_fd, "open/up"), 0);
    assert_int_equal(symlinkat("/etc/passwd", root_fd, "open/out"), 0);
    assert_int_equal(symlinkat("..", root_fd, "open/parent"), 0);
    assert_int_equal(symlinkat("/proc/self/cwd", root_fd, "open/magic"), 0);
    assert_int_equal(symlinkat("deep/../hello", root_fd, "open/within"), 0);
    assert_int_equal(symlinkat("loop", root_fd, "open/loop"), 0);
    assert_int_equal(mkfifoat(root_fd, "open/fifo", 0600), 0);
    snprintf(open_path, sizeof open_path, "%s/open", folder);
    io_fd_close(&root_fd);
    root_fd = open(open_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return root_fd < 0 ? -1 : 0;
}

static int remove_all(void **state)
{
    char command[sizeof folder + 16];

    (void)state;
    io_fd_close(&root_fd);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static void opens_what_lies_below_and_nothing_else(void **state)
{
    static const struct {
        const char *path;
        enum tunnel_files_outcome outcome;
    } table[] = {
        {"", TUNNEL_FILES_FOLDER},
        {"hello", TUNNEL_FILES_FILE},
        {"deep", TUNNEL_FILES_FOLDER},
        {"deep/", TUNNEL_FILES_FOLDER},
        {"deep/x", TUNNEL_FILES_FILE},
        {"within", TUNNEL_FILES_FILE},
        {"missing", TUNNEL_FILES_MISSING},
        {"hello/x", TUNNEL_FILES_MISSING},
        {"hello/", TUNNEL_FILES_MISSING},
        {"../secret", TUNNEL_FILES_FORBIDDEN},
        {"deep/../../secret", TUNNEL_FILES_FORBIDDEN},
        {"/etc/passwd", TUNNEL_FILES_FORBIDDEN},
        {"up", TUNNEL_FILES_FORBIDDEN},
        {"out", TUNNEL_FILES_FORBIDDEN},
        {"parent/secret", TUNNEL_FILES_FORBIDDEN},
        {"magic", TUNNEL_FILES_FORBIDDEN},
        {"magic/etc/passwd", TUNNEL_FILES_FORBIDDEN},
        {"loop", TUNNEL_FILES_FORBIDDEN},
        {"fifo", TUNNEL_FILES_FORBIDDEN},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(table); i++) {
        int fd = -1;
        uint64_t len = 0;
        const enum tunnel_files_outcome outcome =
            tunnel_files_open(root_fd, table[i].path, &fd, &len);
        assert_int_equal(outcome, table[i].outcome);
        assert_true((fd >= 0) == (outcome <= TUNNEL_FILES_FOLDER));
        io_fd_close(&fd);
    }
}

static void knows_how_long_a_file_is(void **state)
{
    int fd = -1;
    uint64_t len = 0;

    (void)state;
    assert_int_equal(tunnel_files_open(root_fd, "hello", &fd, &len), TUNNEL_FILES_FILE);
    assert_int_equal(len, 5);
    io_fd_close(&fd);
}

static void lists_names_as_text(void **state)
{
    char *page = NULL;
    size_t len = 0;
    int fd = -1;
    uint64_t file_len = 0;

    (void)state;
    assert_int_equal(tunnel_files_open(root_fd, "", &fd, &file_len), TUNNEL_FILES_FOLDER);
    assert_int_equal(tunnel_files_list(fd, "/<b>", &page, &len), 0);
    assert_int_equal(strlen(page), len);
    assert_non_null(strstr(page, "<h1>/&lt;b&gt;</h1>"));
    assert_non_null(strstr(page, "<li><a href=\"./%3C%26%22%3E\">&lt;&amp;&quot;&gt;</a>"));
    assert_non_null(strstr(page, "<li><a href=\"./deep/\">deep/</a>"));
    assert_non_null(strstr(page, "<li><a href=\"./hello\">hello</a>"));
    assert_null(strstr(page, "\"./.\""));
    assert_null(strstr(page, "\"./..\""));
    assert_true(strstr(page, "deep") < strstr(page, "hello"));
    free(page);
}

static void types_are_known_by_endings(void **state)
{
    (void)state;
    assert_string_equal(tunnel_files_type("a/b.html"), "text/html; charset=utf-8");
    assert_string_equal(tunnel_files_type("B.PNG"), "image/png");
    assert_string_equal(tunnel_files_type("a.tar.gz"), "application/gzip");
    assert_string_equal(tunnel_files_type("html"), "application/octet-stream");
    assert_string_equal(tunnel_files_type("a."), "application/octet-stream");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opens_what_lies_below_and_nothing_else),
        cmocka_unit_test(knows_how_long_a_file_is),
        cmocka_unit_test(lists_names_as_text),
        cmocka_unit_test(types_are_known_by_endings),
    };
    return cmocka_run_group_tests(tests, make, remove_all);
}
