// SPDX-License-Identifier: Apache-2.0
#include "relay/relay_token.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/conf_args.h"
#include "daemon/host.h"
#include "relay/relay_options.h"

static struct conf conf;
static struct relay_token token;

static bool read_text(const char *text)
{
    char *arguments[] = {(char *)"fairlead-relay", (char *)"--token", (char *)text};

    conf_init(&conf, &relay_options_table);
    conf_args_read(&conf, COUNT_OF(arguments), arguments);
    assert_int_equal(conf.errors.count, 0);
    return relay_token_read(&conf, &token);
}

static void expect_token(const char *wanted)
{
    assert_int_equal(conf.errors.count, 0);
    host_expect_text((struct bytes){token.text, token.len}, wanted);
    relay_token_wipe(&token);
    assert_int_equal(token.len, 0);
    assert_int_equal(token.text[0], 0);
}

static void expect_wrong(const char *wanted)
{
    uint8_t memory[CONF_ERROR_TEXT_MAX];
    struct wr wr = wr_init(memory, sizeof memory);

    assert_int_equal(conf.errors.count, 1);
    conf_error_write(&conf.errors, 0, &wr);
    host_expect_text(wr_done(&wr), wanted);
}

static void takes_a_token_without_the_white_space_in_it(void **state)
{
    (void)state;
    assert_true(read_text(".SFMyNTY.abc-_="));
    expect_token(".SFMyNTY.abc-_=");
    assert_true(read_text(" \t.SFM\r\nyNTY.a b\v\f\n"));
    expect_token(".SFMyNTY.ab");
}

static void takes_what_a_file_has(void **state)
{
    char path[] = "/tmp/relay_token_test.XXXXXX";
    const int fd = mkstemp(path);
    char name[32];

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "\n.a.b\r\n", 7), 7);
    assert_true(read_text(path));
    expect_token(".a.b");
    assert_int_equal(chdir("/tmp"), 0);
    snprintf(name, sizeof name, "%s", path + strlen("/tmp/"));
    assert_true(read_text(name));
    expect_token(".a.b");
    assert_int_equal(ftruncate(fd, 0), 0);
    assert_false(read_text(path));
    expect_wrong("--token: the value is empty (command line, argument 1)");
    assert_int_equal(unlink(path), 0);
    assert_int_equal(close(fd), 0);
    assert_true(read_text(name)); // there is no such file any more
    expect_token(name);
}

static void says_what_is_wrong_and_never_the_value(void **state)
{
    char text[PORTAL_LINK_TOKEN_MAX + 2];

    (void)state;
    assert_false(read_text("/nonexistent/token"));
    expect_wrong("--token: the value names a file that cannot be read: No such file or directory "
                 "(command line, argument 1)");
    assert_false(read_text("t\xc3\xb6ken"));
    expect_wrong("--token: the value has a character that no token has (command line, argument 1)");
    assert_false(read_text(" "));
    expect_wrong("--token: the value is empty (command line, argument 1)");
    memset(text, 'a', sizeof text);
    text[PORTAL_LINK_TOKEN_MAX + 1] = '\0';
    assert_false(read_text(text));
    expect_wrong("--token: the value is longer than 4096 bytes (command line, argument 1)");
    text[PORTAL_LINK_TOKEN_MAX] = '\0';
    assert_true(read_text(text));
    expect_token(text);
}

static void has_none_when_none_is_given(void **state)
{
    (void)state;
    conf_init(&conf, &relay_options_table);
    assert_false(relay_token_read(&conf, &token));
    assert_int_equal(conf.errors.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_token_without_the_white_space_in_it),
        cmocka_unit_test(takes_what_a_file_has),
        cmocka_unit_test(says_what_is_wrong_and_never_the_value),
        cmocka_unit_test(has_none_when_none_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
