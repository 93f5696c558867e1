// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tunnel/tunnel_issue.h"

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

// What the relay keeps recognizes the token, and nothing else does.
static void a_token_fits_its_line(void **state)
{
    uint8_t texts[2][256];
    struct revtun_token tokens[2];
    struct revtun_access_entry entries[2];
    struct revtun_access access = {.entries = entries, .capacity = 2};
    struct revtun_access_mistakes mistakes;
    uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN];
    const struct tunnel_issue issue = {.id = BYTES_LITERAL("laptop"),
                                       .terms = BYTES_LITERAL("ports=5 sni=a.test")};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct wr token = wr_init(texts[0], sizeof texts[0]);
        struct wr line = wr_init(texts[1], sizeof texts[1]);

        assert_true(tunnel_issue_write(&issue, &token, &line, &wrong));
        assert_int_equal(revtun_token_read(wr_done(&token), &tokens[i]), REVTUN_TOKEN_OK);
        assert_false(revtun_token_has_pin(&tokens[i]));
        assert_true(revtun_access_read(wr_done(&line), &access, &mistakes));
        assert_int_equal(access.count, 1);
        assert_true(bytes_equal_text(access.entries[0].id, "laptop"));
        assert_true(revtun_access_may_port(&access.entries[0], 5));
        assert_false(revtun_access_may_port(&access.entries[0], 6));
        revtun_token_verifier(&tokens[i], verifier);
        assert_memory_equal(access.entries[0].hash, verifier, sizeof verifier);
    }
    assert_memory_not_equal(tokens[0].secret, tokens[1].secret, sizeof tokens[0].secret);
}

static void refuses_terms_that_cannot_be(void **state)
{
    uint8_t texts[2][256];
    struct wr token = wr_init(texts[0], sizeof texts[0]);
    struct wr line = wr_init(texts[1], sizeof texts[1]);

    (void)state;
    assert_false(tunnel_issue_write(
        &(struct tunnel_issue){.id = BYTES_LITERAL("a"), .terms = BYTES_LITERAL("ports=x")}, &token,
        &line, &wrong));
    assert_non_null(strstr(wrong.text, "ports=x"));
    wrong.text[0] = '\0';
    assert_false(tunnel_issue_write(&(struct tunnel_issue){.id = BYTES_LITERAL("a"),
                                                           .keys = BYTES_LITERAL("/nowhere"),
                                                           .has_pin = true},
                                    &token, &line, &wrong));
    assert_non_null(strstr(wrong.text, "/nowhere"));
}

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static void adds_lines_to_a_list(void **state)
{
    struct stat made;

    (void)state;
    assert_true(
        tunnel_issue_add(path, bytes_of_text("a"), bytes_of_text("token a " HASH "\n"), &wrong));
    assert_int_equal(stat(path, &made), 0);
    assert_int_equal(made.st_mode & 07777, 0600);
    assert_file("token a " HASH "\n");
    assert_true(
        tunnel_issue_add(path, bytes_of_text("b"), bytes_of_text("token b " HASH "\n"), &wrong));
    assert_file("token a " HASH "\ntoken b " HASH "\n");

    write_file("# without an end"); // whose rights stay
    assert_int_equal(chmod(path, 0640), 0);
    assert_true(
        tunnel_issue_add(path, bytes_of_text("a"), bytes_of_text("token a " HASH "\n"), &wrong));
    assert_file("# without an end\ntoken a " HASH "\n");
    assert_int_equal(stat(path, &made), 0);
    assert_int_equal(made.st_mode & 07777, 0640);
}

static void leaves_a_list_alone_that_would_be_wrong(void **state)
{
    static const char *const lists[] = {"token a " HASH "\n", "tokn\n"};
    static const char *const whys[] = {": there is an agent a already", ": line 1: "};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        write_file(lists[i]);
        wrong.text[0] = '\0';
        assert_false(tunnel_issue_add(path, bytes_of_text("a"),
                                      bytes_of_text("token a " HASH " ports=*\n"), &wrong));
        assert_memory_equal(wrong.text, path, strlen(path));
        assert_memory_equal(wrong.text + strlen(path), whys[i], strlen(whys[i]));
        assert_file(lists[i]);
    }
    // Nor does it follow a link, which may lead to anybody's file.
    char link[128];
    snprintf(link, sizeof link, "%s/link", folder);
    write_file("# a list\n");
    assert_int_equal(symlink(path, link), 0);
    assert_false(
        tunnel_issue_add(link, bytes_of_text("a"), bytes_of_text("token a " HASH "\n"), &wrong));
    assert_file("# a list\n");
    assert_int_equal(unlink(link), 0);
    assert_false(tunnel_issue_add("/nowhere/at/all", bytes_of_text("a"),
                                  bytes_of_text("token a " HASH "\n"), &wrong));
    assert_false(
        tunnel_issue_add(folder, bytes_of_text("a"), bytes_of_text("token a " HASH "\n"), &wrong));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_token_fits_its_line, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(refuses_terms_that_cannot_be, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(adds_lines_to_a_list, make_folder, remove_folder),
        cmocka_unit_test_setup_teardown(leaves_a_list_alone_that_would_be_wrong, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
