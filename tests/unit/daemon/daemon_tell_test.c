// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_tell.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "outlet.h"

static const struct conf_option options[] = {
    {.name = "port", .placeholder = "PORT", .group = "All", .help = "A port."},
    {.name = "check-config", .group = "All", .help = "Only check it."},
    {.name = "version", .group = "All", .help = "The version."},
    {.name = "help", .group = "All", .help = "This text."},
};
static const struct conf_table table = {options, COUNT_OF(options)};
static const struct conf_program program = {.name = "fairlead-daemon", .summary = "A daemon."};
static struct daemon_load load;

static bool judge(void *context, struct conf *conf)
{
    uint16_t port = 0;

    (void)context;
    conf_value_port(&conf->errors, conf_find(conf, "port"), &port);
    return conf->errors.count == 0;
}

// The exit status of a program that is started with this.
static int status_with(const char *argument)
{
    char text[64];
    char *argv[] = {(char *)"fairlead-daemon", strcpy(text, argument), NULL};
    char *environment[] = {NULL};
    const struct daemon_load_sources sources = {2, argv, environment};
    const enum daemon_load_outcome outcome = daemon_load_open(&load, &table, &sources, judge, NULL);
    const int status = daemon_tell_outcome(&load, outcome, &program);

    daemon_load_close(&load);
    return status;
}

static void expect(int fd, const char *argument, int status, const char *text)
{
    outlet_open(fd);
    const int actual = status_with(argument);
    const char *written = outlet_close();
    assert_int_equal(actual, status);
    assert_string_equal(written, text);
}

static void tells_what_was_asked_for_or_is_wrong(void **state)
{
    (void)state;
    expect(STDOUT_FILENO, "--version", 0, "fairlead-daemon " FAIRLEAD_VERSION "\n");
    expect(STDOUT_FILENO, "--check-config", 0, "fairlead-daemon: the configuration is good\n");
    expect(STDERR_FILENO, "--port=0", DAEMON_TELL_EXIT_WRONG,
           "fairlead-daemon: --port: '0' is not a port from 1 to 65535 (command line, argument "
           "1)\n");
    expect(STDOUT_FILENO, "--help", 0,
           "A daemon.\n\nUsage: fairlead-daemon [OPTIONS]\n\nAll:\n"
           "  --port PORT\n          A port.\n"
           "  --check-config\n          Only check it.\n"
           "  --version\n          The version.\n"
           "  --help\n          This text.\n");
}

static void says_when_it_could_not_be_told(void **state)
{
    const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_true(full >= 0);
    outlet_open(STDOUT_FILENO);
    assert_int_equal(dup2(full, STDOUT_FILENO), STDOUT_FILENO);
    const int status = daemon_tell(bytes_of_text("words"));
    const int nothing = daemon_tell((struct bytes){0});
    assert_string_equal(outlet_close(), "");
    assert_int_equal(status, EXIT_FAILURE);
    assert_int_equal(nothing, EXIT_SUCCESS);
    close(full);
}

static void puts_the_program_in_front_of_a_mistake(void **state)
{
    (void)state;
    outlet_open(STDERR_FILENO);
    daemon_tell_mistake("program", "no %s at %d", "port", 7);
    daemon_tell_wrong(bytes_of_text("words\n"));
    assert_string_equal(outlet_close(), "program: no port at 7\nwords\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_what_was_asked_for_or_is_wrong),
        cmocka_unit_test(says_when_it_could_not_be_told),
        cmocka_unit_test(puts_the_program_in_front_of_a_mistake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
