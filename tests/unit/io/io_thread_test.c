// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_thread.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

// What a thread finds once it is let go, which is when the pipe's other end is closed.
struct seen {
    int gate[2];
    char name[16];
    sigset_t blocked;
};

static void *look(void *context)
{
    struct seen *seen = context;
    char byte = 0;

    IGNORE(read(seen->gate[0], &byte, 1)); // nothing comes but the end
    pthread_getname_np(pthread_self(), seen->name, sizeof seen->name);
    pthread_sigmask(SIG_BLOCK, NULL, &seen->blocked);
    close(seen->gate[0]);
    return NULL;
}

static void has_a_name_and_takes_no_signals(void **state)
{
    struct io_thread thread = {0};
    struct seen seen = {.name = ""};
    sigset_t own;

    (void)state;
    assert_int_equal(pipe(seen.gate), 0);
    assert_int_equal(io_thread_start(&thread, "telemetry", look, &seen), 0);
    assert_true(thread.is_running);
    close(seen.gate[1]);
    io_thread_join(&thread);
    assert_false(thread.is_running);
    assert_string_equal(seen.name, "telemetry");
    assert_true(sigismember(&seen.blocked, SIGTERM));
    assert_true(sigismember(&seen.blocked, SIGPIPE));
    pthread_sigmask(SIG_BLOCK, NULL, &own);
    assert_false(sigismember(&own, SIGTERM));
}

static void joins_within_a_time(void **state)
{
    struct io_thread thread = {0};
    static struct seen seen; // the thread has it when this function is over

    (void)state;
    assert_int_equal(pipe(seen.gate), 0);
    assert_int_equal(io_thread_start(&thread, "hangs", look, &seen), 0);
    const pthread_t id = thread.id;
    assert_int_equal(io_thread_join_within(&thread, 1), -ETIMEDOUT);
    assert_false(thread.is_running);
    close(seen.gate[1]);
    assert_int_equal(pthread_join(id, NULL), 0);

    assert_int_equal(pipe(seen.gate), 0);
    assert_int_equal(io_thread_start(&thread, "ends", look, &seen), 0);
    close(seen.gate[1]);
    assert_int_equal(io_thread_join_within(&thread, 60), 0);
}

static void joins_nothing_that_does_not_run(void **state)
{
    struct io_thread thread = {0};

    (void)state;
    io_thread_join(&thread);
    assert_int_equal(io_thread_join_within(&thread, 60), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(has_a_name_and_takes_no_signals),
        cmocka_unit_test(joins_within_a_time),
        cmocka_unit_test(joins_nothing_that_does_not_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
