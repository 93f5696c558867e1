// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/daemon_errors.h"
#include "host.h"

enum { TEXTS_MAX = 8 };

// Arguments and environment in memory that may be written to, as a process has them.
struct given {
    char texts[2 * TEXTS_MAX][128];
    char *argv[TEXTS_MAX + 1];
    char *environment[TEXTS_MAX + 1];
    int argc;
};

static const struct conf_option options[] = {
    {.name = "port",
     .environment = "PORT",
     .placeholder = "PORT",
     .group = "All",
     .help = "A port.",
     .is_reloaded = true},
    {.name = "other-port",
     .environment = "OTHER_PORT",
     .placeholder = "PORT",
     .group = "All",
     .help = "Another one."},
    {.name = "realm",
     .placeholder = "NAME",
     .default_text = "usual",
     .group = "All",
     .help = "A text."},
    {.name = "user",
     .environment = "USERS",
     .placeholder = "TEXT",
     .group = "All",
     .help = "A secret.",
     .is_repeated = true,
     .is_secret = true},
    {.name = "config",
     .environment = "CONFIG",
     .placeholder = "FILE",
     .group = "All",
     .help = "The file.",
     .is_outside_file = true},
    {.name = "check-config", .group = "All", .help = "Only check it.", .is_outside_file = true},
    {.name = "version",
     .short_name = 'V',
     .group = "All",
     .help = "The version.",
     .is_outside_file = true},
    {.name = "help",
     .short_name = 'h',
     .group = "All",
     .help = "This text.",
     .is_outside_file = true},
};
static const struct conf_table table = {options, COUNT_OF(options)};
static const struct conf_table help_table = {&options[COUNT_OF(options) - 1], 1};

// What the judge makes of it.
static struct config {
    uint16_t port, other_port;
    struct bytes realm;
    struct bytes users[2];
    size_t user_count;
} config;

static struct daemon_load load;
static struct given given;

static char path[] = "/tmp/daemon_load_test.XXXXXX";

static int make_file(void **state)
{
    const int fd = mkstemp(path);

    (void)state;
    return fd >= 0 ? close(fd) : -1;
}

static int remove_file(void **state)
{
    (void)state;
    return unlink(path);
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static bool judge(void *context, struct conf *conf)
{
    struct config *out = context;
    const struct conf_value *value = NULL;

    memset(out, 0, sizeof *out);
    conf_value_port(&conf->errors, conf_find(conf, "port"), &out->port);
    conf_value_port(&conf->errors, conf_find(conf, "other-port"), &out->other_port);
    conf_value_text(&conf->errors, conf_find(conf, "realm"), 1, 8, &out->realm);
    while ((value = conf_next(conf, "user", value)) != NULL) {
        if (bytes_index(value->text, ':') == value->text.len) {
            conf_error_value(&conf->errors, value, "has no colon");
        } else if (out->user_count < COUNT_OF(out->users)) {
            out->users[out->user_count++] = value->text;
        }
    }
    return conf->errors.count == 0;
}

static enum daemon_load_outcome open_given(void)
{
    const struct daemon_load_sources sources = {given.argc, given.argv, given.environment};

    return daemon_load_open(&load, &table, &sources, judge, &config);
}

// Both lists end with NULL.
static enum daemon_load_outcome open_with(const char *const *arguments,
                                          const char *const *variables)
{
    memset(&given, 0, sizeof given);
    given.argv[given.argc++] = strcpy(given.texts[0], "fairlead-daemon");
    for (size_t i = 0; arguments[i] != NULL; i++, given.argc++) {
        given.argv[given.argc] = strcpy(given.texts[given.argc], arguments[i]);
    }
    for (size_t i = 0; variables[i] != NULL; i++) {
        given.environment[i] = strcpy(given.texts[TEXTS_MAX + i], variables[i]);
    }
    return open_given();
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void expect_errors(const char *expected)
{
    static uint8_t memory[DAEMON_ERRORS_TEXT_MAX];
    struct wr wr = wr_init(memory, sizeof memory);

    daemon_errors_write(&wr, &load.conf.errors, "fairlead-daemon");
    assert_true(wr_ok(&wr));
    host_expect_text(wr_done(&wr), expected);
}

// A mistake in the first line of the file.
static void expect_error_in_file(const char *expected)
{
    char text[256];

    snprintf(text, sizeof text, "fairlead-daemon: %s (%s, line 1)\n", expected, path);
    expect_errors(text);
}

static void tells_what_the_operator_wants(void **state)
{
    static const struct {
        const char *argument;
        enum daemon_load_outcome outcome;
    } cases[] = {
        {"--port=1", DAEMON_LOAD_RUN},
        {"--help", DAEMON_LOAD_HELP},
        {"-h", DAEMON_LOAD_HELP},
        {"--version", DAEMON_LOAD_VERSION},
        {"-V", DAEMON_LOAD_VERSION},
        {"--check-config", DAEMON_LOAD_CHECKED},
        {"--check-config=false", DAEMON_LOAD_RUN},
        {"--port=0", DAEMON_LOAD_WRONG},
        {"--no-such-option", DAEMON_LOAD_WRONG},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(open_with(TEXTS(cases[i].argument), TEXTS()), cases[i].outcome);
        daemon_load_close(&load);
    }
}

static void reads_all_three_sources(void **state)
{
    char argument[64];

    (void)state;
    write_file("realm = file\nport = 3\nother-port = 3\n");
    snprintf(argument, sizeof argument, "--config=%s", path);
    assert_int_equal(open_with(TEXTS(argument, "--port=1"), TEXTS("PORT=2", "OTHER_PORT=2")),
                     DAEMON_LOAD_RUN);
    assert_int_equal(config.port, 1);
    assert_int_equal(config.other_port, 2);
    host_expect_text(config.realm, "file");
    daemon_load_close(&load);

    snprintf(argument, sizeof argument, "CONFIG=%s", path);
    assert_int_equal(open_with(TEXTS(), TEXTS(argument)), DAEMON_LOAD_RUN);
    assert_int_equal(config.port, 3);
    daemon_load_close(&load);
}

static void says_why_a_file_cannot_be_read_beside_other_mistakes(void **state)
{
    static char much[DAEMON_LOAD_PATH_MAX + 1];

    (void)state;
    assert_int_equal(open_with(TEXTS("--config", "/no/such/file", "--port=0"), TEXTS()),
                     DAEMON_LOAD_WRONG);
    expect_errors("fairlead-daemon: --config: '/no/such/file' cannot be read: No such file or "
                  "directory (command line, argument 1)\n"
                  "fairlead-daemon: --port: '0' is not a port from 1 to 65535 (command line, "
                  "argument 3)\n");
    daemon_load_close(&load);

    assert_int_equal(open_with(TEXTS("--config="), TEXTS()), DAEMON_LOAD_WRONG);
    expect_errors("fairlead-daemon: --config: '' is not the name of a file (command line, "
                  "argument 1)\n");
    daemon_load_close(&load);

    memset(much, 'a', sizeof much - 1);
    given.argv[1] = (char *)"--config";
    given.argv[2] = much;
    given.argc = 3;
    assert_int_equal(open_given(), DAEMON_LOAD_WRONG);
    daemon_load_close(&load);
}

static void counts_the_mistakes_that_it_does_not_write(void **state)
{
    static char text[32 * (CONF_ERROR_MAX + 5)];
    char argument[64];

    (void)state;
    for (int i = 0; i < CONF_ERROR_MAX + 5; i++) {
        strcat(text, "user = nobody\n");
    }
    write_file(text);
    snprintf(argument, sizeof argument, "--config=%s", path);
    assert_int_equal(open_with(TEXTS(argument), TEXTS()), DAEMON_LOAD_WRONG);
    static uint8_t memory[DAEMON_ERRORS_TEXT_MAX + 1];
    struct wr wr = wr_init(memory, DAEMON_ERRORS_TEXT_MAX);
    daemon_errors_write(&wr, &load.conf.errors, "fairlead-daemon");
    assert_true(wr_ok(&wr));
    assert_non_null(strstr((char *)memory, "line 16)\nfairlead-daemon: and 5 more\n"));
    assert_null(strstr((char *)memory, "nobody"));
    daemon_load_close(&load);
}

static bool has_text(const void *memory, size_t len, const char *text)
{
    return memmem(memory, len, text, strlen(text)) != NULL;
}

static void wipes_secrets_wherever_they_were_given(void **state)
{
    char argument[64];

    (void)state;
    write_file("user = file:hidden\n");
    snprintf(argument, sizeof argument, "--config=%s", path);
    assert_int_equal(open_with(TEXTS("--user", "a:hidden", "--user=b:hidden", argument),
                               TEXTS("USERS=c:hidden,d:hid\\,den", "USERS=e:hidden", "HOME=/")),
                     DAEMON_LOAD_RUN);
    assert_int_equal(config.user_count, 2);
    assert_true(has_text(&given, sizeof given, "hidden"));
    daemon_load_close(&load);
    assert_false(has_text(&given, sizeof given, "hid"));
    assert_false(has_text(&load, sizeof load, "hid"));
    assert_null(load.text.ptr);
    assert_string_equal(given.argv[1], "--user"); // all else stays as it is
    assert_string_equal(given.argv[3], "--user=");
    assert_string_equal(given.argv[4], argument);
    assert_string_equal(given.environment[0], "USERS=");
    assert_string_equal(given.environment[2], "HOME=/");
}

static void wipes_what_was_unescaped(void **state)
{
    (void)state;
    assert_int_equal(open_with(TEXTS(), TEXTS("USERS=d:hid\\,den")), DAEMON_LOAD_RUN);
    host_expect_text(config.users[0], "d:hid,den");
    assert_true(has_text(&load, sizeof load, "hid,den"));
    daemon_load_close(&load);
    assert_false(has_text(&load, sizeof load, "hid,den"));
    daemon_load_close(&load); // nothing is left to wipe
}

static void keeps_no_descriptor(void **state)
{
    const size_t before = host_descriptor_count();
    char argument[64];

    (void)state;
    write_file("realm = file\n");
    snprintf(argument, sizeof argument, "--config=%s", path);
    assert_int_equal(open_with(TEXTS(argument), TEXTS()), DAEMON_LOAD_RUN);
    assert_int_equal(host_descriptor_count(), before);
    daemon_load_close(&load);
}

static bool reopen(const bool is_held[CONF_OPTION_MAX])
{
    const struct daemon_load_sources sources = {given.argc, given.argv, given.environment};

    return daemon_load_reopen(&load, &table, &sources, is_held, judge, &config);
}

// What was wiped is no value any more, and the file's cannot stand in for it.
static void reads_once_more_without_what_is_held(void **state)
{
    enum { USER = 3 };
    bool is_held[CONF_OPTION_MAX] = {[USER] = true};
    char argument[64];

    (void)state;
    assert_string_equal(options[USER].name, "user");
    write_file("port = 1\n");
    snprintf(argument, sizeof argument, "--config=%s", path);
    assert_int_equal(open_with(TEXTS(argument, "--user=a:hidden"), TEXTS("OTHER_PORT=2")),
                     DAEMON_LOAD_RUN);
    daemon_load_close(&load);
    write_file("port = 3\nuser = b:file\nother-port = 4\n");
    assert_true(reopen(is_held));
    assert_int_equal(config.port, 3);
    assert_int_equal(config.other_port, 2);
    assert_int_equal(config.user_count, 0);
    daemon_load_close(&load);
    write_file("port = 0\n");
    assert_false(reopen(is_held));
    expect_error_in_file("--port: '0' is not a port from 1 to 65535");
    daemon_load_close(&load);
}

static void reads_no_pipe_once_more(void **state)
{
    static const bool is_held[CONF_OPTION_MAX];
    int fds[2];
    char argument[64];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "port = 5\n", 9), 9);
    assert_int_equal(close(fds[1]), 0);
    snprintf(argument, sizeof argument, "--config=/proc/self/fd/%d", fds[0]);
    assert_int_equal(open_with(TEXTS(argument), TEXTS()), DAEMON_LOAD_RUN);
    assert_int_equal(config.port, 5);
    daemon_load_close(&load);
    assert_false(reopen(is_held));
    assert_int_equal(load.conf.errors.count, 1);
    daemon_load_close(&load);
    close(fds[0]);
}

static bool judge_nothing(void *context, struct conf *conf)
{
    return context == NULL && conf->errors.count == 0;
}

static void needs_no_option_but_help(void **state)
{
    char *argv[] = {(char *)"program", (char *)"--help", NULL};
    char *environment[] = {NULL};
    struct daemon_load_sources sources = {1, argv, environment};

    (void)state;
    assert_int_equal(daemon_load_open(&load, &help_table, &sources, judge_nothing, NULL),
                     DAEMON_LOAD_RUN);
    daemon_load_close(&load);
    sources.argc = 2;
    assert_int_equal(daemon_load_open(&load, &help_table, &sources, judge_nothing, NULL),
                     DAEMON_LOAD_HELP);
    daemon_load_close(&load);
    argv[1] = (char *)"--version";
    assert_int_equal(daemon_load_open(&load, &help_table, &sources, judge_nothing, NULL),
                     DAEMON_LOAD_WRONG);
    daemon_load_close(&load);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_the_operator_wants),
        cmocka_unit_test(reads_all_three_sources),
        cmocka_unit_test(says_why_a_file_cannot_be_read_beside_other_mistakes),
        cmocka_unit_test(counts_the_mistakes_that_it_does_not_write),
        cmocka_unit_test(wipes_secrets_wherever_they_were_given),
        cmocka_unit_test(wipes_what_was_unescaped),
        cmocka_unit_test(keeps_no_descriptor),
        cmocka_unit_test(reads_once_more_without_what_is_held),
        cmocka_unit_test(reads_no_pipe_once_more),
        cmocka_unit_test(needs_no_option_but_help),
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
