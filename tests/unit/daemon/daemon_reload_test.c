// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_reload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"

enum { NAME, QUOTA, SECRET, CONFIG, HELP };

static const struct conf_option options[] = {
    [NAME] = {.name = "name", .placeholder = "NAME", .group = "All", .help = "For life."},
    [QUOTA] = {.name = "quota",
               .placeholder = "COUNT",
               .default_text = "1",
               .group = "All",
               .help = "It may change.",
               .is_reloaded = true},
    [SECRET] = {.name = "secret",
                .environment = "SECRET",
                .placeholder = "SECRET",
                .group = "All",
                .help = "A secret.",
                .is_repeated = true,
                .is_secret = true},
    [CONFIG] = {.name = "config",
                .placeholder = "FILE",
                .group = "All",
                .help = "The file.",
                .is_outside_file = true},
    [HELP] = {.name = "help", .group = "All", .help = "This text.", .is_outside_file = true},
};
static const struct conf_table table = {options, COUNT_OF(options)};

static struct daemon_load load;
static struct daemon_reload reload;
static char path[] = "/tmp/daemon_reload_test.XXXXXX";
static char texts[4][64];
static char *argv[] = {texts[0], texts[1], texts[2], NULL};
static char *environment[] = {texts[3], NULL};
static uint64_t quota;
static struct bytes secret;

static bool judge(void *context, struct conf *conf)
{
    assert_ptr_equal(context, &quota);
    secret = (struct bytes){0};
    conf_value_number(&conf->errors, conf_find(conf, "quota"), 1, 9, &quota);
    conf_value_text(&conf->errors, conf_find(conf, "secret"), 1, 9, &secret);
    return conf->errors.count == 0;
}

static void write_file(const char *text)
{
    FILE *file = fopen(path, "we");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void start(const char *file, const char *argument, const char *variable)
{
    const struct daemon_load_sources sources = {3, argv, environment};

    write_file(file);
    strcpy(texts[0], "program");
    snprintf(texts[1], sizeof texts[1], "--config=%s", path);
    strcpy(texts[2], argument);
    strcpy(texts[3], variable);
    assert_int_equal(daemon_load_open(&load, &table, &sources, judge, &quota), DAEMON_LOAD_RUN);
    daemon_reload_init(&reload, &load);
    daemon_load_close(&load);
}

static bool read_again(const char *file)
{
    write_file(file);
    return daemon_reload_read(&reload, judge, &quota);
}

static int setup(void **state)
{
    (void)state;
    host_log_open(LOG_LINE_HUMAN);
    memcpy(strrchr(path, '.'), ".XXXXXX", sizeof ".XXXXXX");
    const int fd = mkstemp(path);
    return fd >= 0 ? close(fd) : -1;
}

static int teardown(void **state)
{
    (void)state;
    host_log_close();
    return unlink(path);
}

static void what_the_file_has_now_counts(void **state)
{
    (void)state;
    start("name = a\nsecret = s\n", "--", "");
    assert_true(read_again("name = a\nsecret = t\nquota = 7\n"));
    assert_int_equal(quota, 7);
    host_expect_text(secret, "t");
    assert_true(reload.takes_restart[SECRET]); // its option does not say that it may change
    assert_false(reload.takes_restart[NAME]);
    assert_false(reload.takes_restart[QUOTA]);
    daemon_reload_log(&reload, "program");
    assert_string_equal(
        host_log(), " WARN what has changed here counts from the next start on option=secret\n");
    daemon_reload_end(&reload);
    assert_true(read_again("secret = s\nname = a\n")); // as at the start
    assert_int_equal(quota, 1);
    daemon_reload_log(&reload, "program");
    assert_string_equal(host_log(), "");
    daemon_reload_end(&reload);
}

static void expect_written(const char *wanted)
{
    static uint8_t text[DAEMON_RELOAD_TEXT_MAX];
    struct wr wr = wr_init(text, sizeof text);

    daemon_reload_write(&reload, "program", &wr);
    host_expect_text(wr_done(&wr), wanted);
    daemon_reload_end(&reload);
}

static void the_same_is_written_for_who_has_asked(void **state)
{
    char wanted[256];

    (void)state;
    start("name = a\nsecret = s\n", "--", "");
    assert_true(read_again("name = a\nsecret = t\n"));
    expect_written("--secret has changed, which counts from the next start on\n");
    assert_false(read_again("quota = many\nnothing = 1\n"));
    snprintf(wanted, sizeof wanted,
             "program: unknown key; --help lists all options (%s, line 2)\n"
             "program: --quota: 'many' is not a number from 1 to 9 (%s, line 1)\n",
             path, path);
    expect_written(wanted);
}

static void tells_one_value_from_two(void **state)
{
    (void)state;
    start("secret = a\nsecret = b\n", "--", "");
    assert_true(read_again("secret = b\nsecret = a\n"));
    assert_true(reload.takes_restart[SECRET]);
    daemon_reload_end(&reload);
    assert_true(read_again("secret = a\n"));
    assert_true(reload.takes_restart[SECRET]);
    daemon_reload_end(&reload);
    assert_true(read_again(""));
    assert_true(reload.takes_restart[SECRET]);
    daemon_reload_end(&reload);
    assert_true(read_again("secret = a\nsecret = b\n"));
    assert_false(reload.takes_restart[SECRET]);
    daemon_reload_end(&reload);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
    char wanted[256];

    (void)state;
    start("name = a\n", "--", "");
    assert_false(read_again("name = b\nquota = many\n"));
    assert_false(reload.takes_restart[NAME]); // nothing is reloaded, so nothing has to be told
    daemon_reload_log(&reload, "program");
    snprintf(wanted, sizeof wanted,
             "mistake=\"program: --quota: 'many' is not a number from 1 to 9 (%s, line 2)\"", path);
    const char *log = host_log();
    assert_non_null(strstr(log, "ERROR the configuration is wrong "));
    assert_non_null(strstr(log, wanted));
    daemon_reload_end(&reload);
}

static void secrets_outside_the_file_are_held(void **state)
{
    (void)state;
    start("name = a\n", "--secret=hidden", "");
    assert_true(daemon_reload_is_held(&reload, "secret"));
    assert_false(daemon_reload_is_held(&reload, "name"));
    assert_true(read_again("secret = t\n"));
    assert_int_equal(secret.len, 0);
    assert_false(reload.takes_restart[SECRET]);
    daemon_reload_end(&reload);

    start("secret = weaker\n", "--", "SECRET=hidden");
    assert_true(daemon_reload_is_held(&reload, "secret"));
    assert_true(read_again("secret = t\n"));
    assert_int_equal(secret.len, 0);
    daemon_reload_end(&reload);

    start("secret = s\n", "--", "");
    assert_false(daemon_reload_is_held(&reload, "secret"));
}

// Said at the start, while something can be done about it.
static void says_when_the_file_will_not_be_readable(void **state)
{
    const struct daemon_load_sources sources = {2, argv, environment};

    (void)state;
    start("name = a\n", "--", "");
    assert_string_equal(host_log(), "");
    assert_int_equal(daemon_load_open(&load, &table, &sources, judge, &quota), DAEMON_LOAD_RUN);
    assert_int_equal(unlink(path), 0);
    daemon_reload_init(&reload, &load);
    assert_non_null(
        strstr(host_log(), "the configuration file cannot be reloaded by this user file=/tmp/"));
    daemon_load_close(&load);
    write_file("");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_the_file_has_now_counts, setup, teardown),
        cmocka_unit_test_setup_teardown(the_same_is_written_for_who_has_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_one_value_from_two, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_wrong_is_told_with_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(secrets_outside_the_file_are_held, setup, teardown),
        cmocka_unit_test_setup_teardown(says_when_the_file_will_not_be_readable, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
