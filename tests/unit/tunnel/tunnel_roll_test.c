// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_roll.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/daemon_file.h"

static char folder[64];
static char path[96];
static struct io_tls_error wrong;

static int make_folder(void **state)
{
    (void)state;
    wrong.text[0] = '\0';
    strcpy(folder, "/tmp/tunnel_issue_XXXXXX");
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/access", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    IGNORE(unlink(path));
    return rmdir(folder);
}

static void assert_file(const char *wanted)
{
    struct bytes text = {0};

    assert_int_equal(daemon_file_read(path, &text), 0);
    if (!bytes_equal_text(text, wanted)) {
        fail_msg("'%.*s' is not '%s'", (int)text.len, (const char *)text.ptr, wanted);
    }
    daemon_file_free(&text);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void tells_what_each_may_have(void **state)
{
    static const char *const wanted[] = {
        "token a ports=none sni=none names=* tunnels=16 hosts=256\n",
        "token bb ports=5 sni=none names=* tunnels=16 hosts=256 connections=7\n",
        "cert " HASH " ports=none sni=a.test names=* tunnels=16 hosts=256\n",
        "cert any ports=* sni=none names=* tunnels=16 hosts=256\n",
    };
    struct tunnel_access roll;

    (void)state;
    write_file("token a " HASH "\ntoken bb " HASH " ports=5 connections=7\ncert " HASH
               " sni=a.test\ncert any ports=*\n");
    assert_true(tunnel_roll_open(&roll, path, &wrong));
    assert_int_equal(roll.list.count, COUNT_OF(wanted));
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        uint8_t text[TUNNEL_ROLL_LINE_MAX];
        struct wr wr = wr_init(text, sizeof text);

        tunnel_roll_entry_write(&wr, &roll.list.entries[i]);
        assert_true(bytes_equal_text(wr_done(&wr), wanted[i]));
    }
    tunnel_access_close(&roll);
}

static void takes_one_line_off_and_no_other(void **state)
{
    struct stat made;

    (void)state;
    write_file("# agents\n\ntoken a " HASH "\ntoken aa " HASH " ports=5\ncert any ports=*");
    assert_int_equal(chmod(path, 0640), 0);
    assert_true(tunnel_roll_revoke(path, bytes_of_text("a"), &wrong));
    assert_file("# agents\n\ntoken aa " HASH " ports=5\ncert any ports=*");
    assert_int_equal(stat(path, &made), 0);
    assert_int_equal(made.st_mode & 07777, 0640);
    write_file("token a " HASH "\ntoken b " HASH); // whose last line has no end
    assert_true(tunnel_roll_revoke(path, bytes_of_text("b"), &wrong));
    assert_file("token a " HASH "\n");
    assert_true(tunnel_roll_revoke(path, bytes_of_text("a"), &wrong));
    assert_file("");
}

static void leaves_a_list_alone(void **state)
{
    static const struct {
        const char *list;
        const char *why;
    } cases[] = {
        {"token b " HASH "\n", ": there is no agent a"},
        {"token a " HASH "\ntokn\n", ": line 2: "},
        {"", ": there is no agent a"},
    };
    char other[128];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        write_file(cases[i].list);
        assert_false(tunnel_roll_revoke(path, bytes_of_text("a"), &wrong));
        assert_memory_equal(wrong.text + strlen(path), cases[i].why, strlen(cases[i].why));
        assert_file(cases[i].list);
    }
    write_file("token a " HASH "\n");
    snprintf(other, sizeof other, "%s/link", folder);
    assert_int_equal(symlink(path, other), 0);
    assert_false(tunnel_roll_revoke(other, bytes_of_text("a"), &wrong));
    assert_int_equal(unlink(other), 0);
    snprintf(other, sizeof other, "%s.new", path); // another one is about to write it
    assert_int_equal(mkdir(other, 0700), 0);
    assert_false(tunnel_roll_revoke(path, bytes_of_text("a"), &wrong));
    assert_int_equal(rmdir(other), 0);
    assert_file("token a " HASH "\n");
    assert_false(tunnel_roll_revoke("/nowhere/at/all", bytes_of_text("a"), &wrong));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_what_each_may_have, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(takes_one_line_off_and_no_other, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(leaves_a_list_alone, make_folder, remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
