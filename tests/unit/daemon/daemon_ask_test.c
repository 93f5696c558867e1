// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_ask.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/daemon_ctl.h"
#include "daemon/daemon_tell.h"
#include "io/io_clock.h"
#include "outlet.h"

enum { LONG_LEN = 3 << 20 };

static char folder[] = "/tmp/daemon_ask.XXXXXX";
static char path[64];
static char *no_environment[] = {NULL};
static struct io_loop loop;
static struct daemon_ctl ctl;
static atomic_bool is_over;
static struct daemon_ask asker = {.program = "program", .whom = "daemon"};

// "long" is answered by many bytes, "nothing" by none, all else by itself and a line's end.
static void answer(void *context, struct bytes request, struct daemon_ctl_reply *reply)
{
    (void)context;
    if (bytes_equal_text(request, "nothing")) {
        return;
    }
    assert_true(daemon_ctl_reserve(reply, LONG_LEN));
    if (bytes_equal_text(request, "long")) {
        wr_zero(&reply->wr, LONG_LEN);
    } else {
        wr_bytes(&reply->wr, request);
        wr_u8(&reply->wr, '\n');
    }
}

static void *serve(void *context)
{
    (void)context;
    while (!atomic_load(&is_over)) {
        assert_int_equal(io_loop_turn(&loop, io_clock_now().mono_ns + SECOND_NS / 100), 0);
    }
    return NULL;
}

static pthread_t thread;

static int setup(void **state)
{
    const struct daemon_ctl_config config = {
        .path = bytes_of_text(path), .environment = no_environment, .answer = answer};

    (void)state;
    atomic_store(&is_over, false);
    assert_int_equal(io_loop_open(&loop), 0);
    assert_int_equal(daemon_ctl_open(&ctl, &loop, &config), 0);
    assert_true(daemon_ask_find(&asker, bytes_of_text(path), "x.sock", no_environment));
    return pthread_create(&thread, NULL, serve, NULL);
}

static int teardown(void **state)
{
    (void)state;
    atomic_store(&is_over, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    daemon_ctl_close(&ctl);
    io_loop_close(&loop);
    return 0;
}

static void takes_an_answer_of_any_length(void **state)
{
    struct bytes text = {0};

    (void)state;
    assert_true(daemon_ask(&asker, "words and more\n", &text));
    assert_true(bytes_equal_text(text, "words and more\n"));
    free((void *)text.ptr);
    assert_true(daemon_ask(&asker, "long\n", &text));
    assert_int_equal(text.len, LONG_LEN);
    free((void *)text.ptr);
}

static void expect(int fd, const char *question, int status, const char *wanted)
{
    outlet_open(fd);
    const int actual = daemon_ask_print(&asker, question, NULL);
    const char *written = outlet_close();
    assert_int_equal(actual, status);
    assert_string_equal(written, wanted);
}

static void prints_the_answer_where_it_belongs(void **state)
{
    (void)state;
    expect(STDOUT_FILENO, "words\n", EXIT_SUCCESS, "words\n");
    expect(STDOUT_FILENO, "error:words\n", EXIT_SUCCESS, "error:words\n");
    expect(STDERR_FILENO, "error: no such command\n", DAEMON_TELL_EXIT_WRONG,
           "program: error: no such command\n");
    expect(STDOUT_FILENO, "error: no such command\n", DAEMON_TELL_EXIT_WRONG, "");
    expect(STDERR_FILENO, "failed: it hangs\n", EXIT_FAILURE, "program: failed: it hangs\n");
    expect(STDERR_FILENO, "nothing\n", EXIT_FAILURE,
           "program: the daemon gives no answer; are you root, or who started it?\n");
}

static void nothing_that_comes_steers_a_terminal(void **state)
{
    (void)state;
    expect(STDOUT_FILENO, "a\x1b[2J\rb\xc2\x9b\tc\x7f\xff \xc3\xa9\n", EXIT_SUCCESS,
           "a?[2J?b???c?? \xc3\xa9\n");
    expect(STDERR_FILENO, "failed: \x1b]0;x\a\n", EXIT_FAILURE, "program: failed: ?]0;x?\n");
}

static void says_that_nobody_is_there(void **state)
{
    char wanted[128];

    (void)state;
    assert_true(daemon_ask_find(&asker, bytes_of_text(path), "x.sock", no_environment));
    snprintf(wanted, sizeof wanted, "program: no daemon answers at %s: No such file or directory\n",
             path);
    expect(STDERR_FILENO, "words\n", EXIT_FAILURE, wanted);
}

static void finds_the_usual_place(void **state)
{
    char variable[64];
    char wanted[64];
    char *environment[] = {variable, NULL};

    (void)state;
    snprintf(variable, sizeof variable, "RUNTIME_DIRECTORY=%s", folder);
    snprintf(wanted, sizeof wanted, "%s/x.sock", folder);
    assert_true(daemon_ask_find(&asker, (struct bytes){0}, "x.sock", environment));
    assert_string_equal(asker.path, wanted);
    if (geteuid() == 0) {
        return; // who has /run
    }
    outlet_open(STDERR_FILENO);
    assert_false(daemon_ask_find(&asker, (struct bytes){0}, "x.sock", no_environment));
    assert_string_equal(
        outlet_close(),
        "program: where the control socket is, is not known; give --control-socket\n");
}

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    snprintf(path, sizeof path, "%s/socket", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(takes_an_answer_of_any_length, setup, teardown),
        cmocka_unit_test_setup_teardown(prints_the_answer_where_it_belongs, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_that_comes_steers_a_terminal, setup, teardown),
        cmocka_unit_test(says_that_nobody_is_there),
        cmocka_unit_test(finds_the_usual_place),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
