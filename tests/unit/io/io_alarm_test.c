// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_alarm.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

// Hangs with all signals blocked but what the alarm needs, in a process of its own.
static void hang(int to)
{
    sigset_t all;

    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    dup2(to, STDERR_FILENO);
    if (io_alarm_set(1, "it hangs\n") != 0) {
        _exit(70);
    }
    for (;;) {
        pause();
    }
}

static void ends_what_hangs_and_says_so(void **state)
{
    char text[64] = {0};
    int status = 0;
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    const pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        hang(ends[1]);
    }
    close(ends[1]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
    assert_int_equal(read(ends[0], text, sizeof text - 1), strlen("it hangs\n"));
    assert_string_equal(text, "it hangs\n");
    close(ends[0]);
}

static void ends_nothing_that_goes_on(void **state)
{
    (void)state;
    io_alarm_clear();
    assert_int_equal(io_alarm_set(1, "never\n"), 0);
    io_alarm_clear();
    assert_int_equal(usleep(1200 * 1000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_what_hangs_and_says_so),
        cmocka_unit_test(ends_nothing_that_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
