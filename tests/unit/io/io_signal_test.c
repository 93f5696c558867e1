// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_signal.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_fd.h"

static void reads_each_signal_from_a_descriptor(void **state)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2};
    int fd = -1;
    int signal = 77;

    (void)state;
    assert_int_equal(io_signal_open(&fd), 0);
    assert_int_not_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
    assert_false(io_signal_read(fd, &signal)); // and does not wait
    assert_int_equal(signal, 77);
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        assert_int_equal(kill(getpid(), signals[i]), 0);
        assert_true(io_signal_read(fd, &signal));
        assert_int_equal(signal, signals[i]);
        assert_false(io_signal_read(fd, &signal));
    }
    io_fd_close(&fd);
}

static void ignores_sigpipe(void **state)
{
    int fd = -1;
    int pipe_fds[2];

    (void)state;
    assert_int_equal(io_signal_open(&fd), 0);
    assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
    assert_int_equal(close(pipe_fds[0]), 0);
    assert_int_equal(write(pipe_fds[1], "x", 1), -1);
    assert_int_equal(errno, EPIPE);
    assert_int_equal(close(pipe_fds[1]), 0);
    io_fd_close(&fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_each_signal_from_a_descriptor),
        cmocka_unit_test(ignores_sigpipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
