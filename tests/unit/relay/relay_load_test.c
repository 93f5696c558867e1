// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "relay/relay_load.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"

enum { TEXTS_MAX = 8 };

// Arguments and environment in memory that may be written to, as a process has them.
struct given {
    char texts[2 * TEXTS_MAX][128];
    char *argv[TEXTS_MAX + 1];
    char *environment[TEXTS_MAX + 1];
    int argc;
};

static struct relay_load load;
static struct relay_config config;
static struct given given;

static char path[] = "/tmp/relay_load_test.XXXXXX";

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

// Both lists end with NULL.
static enum relay_load_outcome open_with(const char *const *arguments, const char *const *variables)
{
    memset(&given, 0, sizeof given);
    given.argv[given.argc++] = strcpy(given.texts[0], "fairlead-relay");
    for (size_t i = 0; arguments[i] != NULL; i++, given.argc++) {
        given.argv[given.argc] = strcpy(given.texts[given.argc], arguments[i]);
    }
    for (size_t i = 0; variables[i] != NULL; i++) {
        given.environment[i] = strcpy(given.texts[TEXTS_MAX + i], variables[i]);
    }
    return relay_load_open(&load, given.argc, given.argv, given.environment, &config);
}

#define TEXTS(...) ((const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void expect_errors(const char *expected)
{
    static uint8_t memory[RELAY_LOAD_ERRORS_MAX];
    struct wr wr = wr_init(memory, sizeof memory);

    relay_load_errors_write(&load, &wr);
    assert_true(wr_ok(&wr));
    host_expect_text(wr_done(&wr), expected);
}

static void tells_what_the_operator_wants(void **state)
{
    static const struct {
        const char *argument;
        enum relay_load_outcome outcome;
    } cases[] = {
        {"--listen-port=1", RELAY_LOAD_RUN},
        {"--help", RELAY_LOAD_HELP},
        {"-h", RELAY_LOAD_HELP},
        {"--version", RELAY_LOAD_VERSION},
        {"-V", RELAY_LOAD_VERSION},
        {"--check-config", RELAY_LOAD_CHECKED},
        {"--check-config=false", RELAY_LOAD_RUN},
        {"--listen-port=0", RELAY_LOAD_WRONG},
        {"--no-such-option", RELAY_LOAD_WRONG},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(open_with(TEXTS(cases[i].argument), TEXTS()), cases[i].outcome);
        relay_load_close(&load);
    }
}

static void reads_all_three_sources(void **state)
{
    char argument[64];

    (void)state;
    write_file("realm = file\nlisten-port = 3\nlowest-port = 3\n");
    snprintf(argument, sizeof argument, "--config=%s", path);
    assert_int_equal(
        open_with(TEXTS(argument, "--listen-port=1"), TEXTS("LISTEN_PORT=2", "LOWEST_PORT=2")),
        RELAY_LOAD_RUN);
    assert_int_equal(config.listen_port, 1);
    assert_int_equal(config.lowest_port, 2);
    host_expect_text(config.realm, "file");
    relay_load_close(&load);

    snprintf(argument, sizeof argument, "FAIRLEAD_CONFIG=%s", path);
    assert_int_equal(open_with(TEXTS(), TEXTS(argument)), RELAY_LOAD_RUN);
    assert_int_equal(config.listen_port, 3);
    relay_load_close(&load);
}

static void says_why_a_file_cannot_be_read_beside_other_mistakes(void **state)
{
    static char much[RELAY_LOAD_PATH_MAX + 1];

    (void)state;
    assert_int_equal(open_with(TEXTS("--config", "/no/such/file", "--listen-port=0"), TEXTS()),
                     RELAY_LOAD_WRONG);
    expect_errors("fairlead-relay: --config: '/no/such/file' cannot be read: No such file or "
                  "directory (command line, argument 1)\n"
                  "fairlead-relay: --listen-port: '0' is not a port from 1 to 65535 (command line, "
                  "argument 3)\n");
    relay_load_close(&load);

    assert_int_equal(open_with(TEXTS("--config="), TEXTS()), RELAY_LOAD_WRONG);
    expect_errors("fairlead-relay: --config: '' is not the name of a file (command line, "
                  "argument 1)\n");
    relay_load_close(&load);

    memset(much, 'a', sizeof much - 1);
    char *argv[] = {given.argv[0], (char *)"--config", much};
    assert_int_equal(relay_load_open(&load, 3, argv, given.environment, &config), RELAY_LOAD_WRONG);
    relay_load_close(&load);
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
    assert_int_equal(open_with(TEXTS(argument), TEXTS()), RELAY_LOAD_WRONG);
    static uint8_t memory[RELAY_LOAD_ERRORS_MAX + 1];
    struct wr wr = wr_init(memory, RELAY_LOAD_ERRORS_MAX);
    relay_load_errors_write(&load, &wr);
    assert_true(wr_ok(&wr));
    assert_non_null(strstr((char *)memory, "line 16)\nfairlead-relay: and 5 more\n"));
    assert_null(strstr((char *)memory, "nobody"));
    relay_load_close(&load);
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
    assert_int_equal(
        open_with(TEXTS("--user", "a:hidden", "--user=b:hidden", argument),
                  TEXTS("FAIRLEAD_USER=c:hidden,d:hid\\,den", "FAIRLEAD_USER=e:hidden", "HOME=/")),
        RELAY_LOAD_RUN);
    assert_int_equal(config.user_count, 2);
    assert_true(has_text(&given, sizeof given, "hidden"));
    relay_load_close(&load);
    assert_false(has_text(&given, sizeof given, "hid"));
    assert_false(has_text(&load, sizeof load, "hid"));
    assert_null(load.text.ptr);
    assert_string_equal(given.argv[1], "--user"); // all else stays as it is
    assert_string_equal(given.argv[3], "--user=");
    assert_string_equal(given.argv[4], argument);
    assert_string_equal(given.environment[0], "FAIRLEAD_USER=");
    assert_string_equal(given.environment[2], "HOME=/");
}

static void wipes_what_was_unescaped(void **state)
{
    (void)state;
    assert_int_equal(open_with(TEXTS(), TEXTS("FAIRLEAD_USER=d:hid\\,den")), RELAY_LOAD_RUN);
    host_expect_text(config.users[0].password, "hid,den");
    assert_true(has_text(&load, sizeof load, "hid,den"));
    relay_load_close(&load);
    assert_false(has_text(&load, sizeof load, "hid,den"));
    relay_load_close(&load); // nothing is left to wipe
}

static void keeps_no_descriptor(void **state)
{
    const size_t before = host_descriptor_count();
    char argument[64];

    (void)state;
    write_file("realm = file\n");
    snprintf(argument, sizeof argument, "--config=%s", path);
    assert_int_equal(open_with(TEXTS(argument), TEXTS()), RELAY_LOAD_RUN);
    assert_int_equal(host_descriptor_count(), before);
    relay_load_close(&load);
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
    };
    return cmocka_run_group_tests(tests, make_file, remove_file);
}
