// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_pipes.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/macro.h"

static struct io_pipes pipes;
static struct io_pipe *lent[IO_PIPES_MAX];

static int setup(void **state)
{
    (void)state;
    io_pipes_open(&pipes);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    io_pipes_close(&pipes);
    io_pipes_close(&pipes); // nothing to close any more
    return 0;
}

static void lends_what_is_worth_while(void **state)
{
    char byte = 0;

    (void)state;
    struct io_pipe *pipe = io_pipes_take(&pipes);
    assert_non_null(pipe);
    assert_true(fcntl(pipe->read_fd, F_GETPIPE_SZ) >= IO_PIPES_LEN_MIN);
    assert_int_equal(read(pipe->read_fd, &byte, 1), -1);
    assert_int_equal(errno, EAGAIN); // empty, and it does not wait
    assert_int_equal(write(pipe->write_fd, "x", 1), 1);
    assert_int_equal(read(pipe->read_fd, &byte, 1), 1);
    io_pipes_give(&pipes, pipe, 0);
}

static void lends_the_same_one_again_once_it_is_empty(void **state)
{
    char byte = 0;

    (void)state;
    struct io_pipe *pipe = io_pipes_take(&pipes);
    const int fd = pipe->read_fd;
    io_pipes_give(&pipes, pipe, 0);
    pipe = io_pipes_take(&pipes);
    assert_int_equal(pipe->read_fd, fd);
    assert_int_equal(write(pipe->write_fd, "x", 1), 1);
    io_pipes_give(&pipes, pipe, 1);
    assert_int_equal(fcntl(fd, F_GETFD), -1); // it was closed, with what was in it
    assert_int_equal(pipes.open_count, 0);
    pipe = io_pipes_take(&pipes);
    assert_int_equal(read(pipe->read_fd, &byte, 1), -1);
    io_pipes_give(&pipes, pipe, 0);
}

static void lends_so_many_and_keeps_few(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lent); i++) {
        lent[i] = io_pipes_take(&pipes);
        assert_non_null(lent[i]);
    }
    assert_int_equal(pipes.lent_count, IO_PIPES_MAX);
    assert_null(io_pipes_take(&pipes));
    assert_int_equal(pipes.refused_count, 1);
    for (size_t i = 0; i < COUNT_OF(lent); i++) {
        io_pipes_give(&pipes, lent[i], 0);
    }
    assert_int_equal(pipes.lent_count, 0);
    assert_int_equal(pipes.open_count, IO_PIPES_KEPT_MAX);
}

// The system is not asked again and again.
static void asks_the_system_seldom_once_it_refuses(void **state)
{
    struct rlimit limit = {0};

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    const struct rlimit none = {.rlim_cur = 3, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_null(io_pipes_take(&pipes));
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
    for (int i = 0; i < IO_PIPES_PAUSE; i++) {
        assert_null(io_pipes_take(&pipes));
    }
    struct io_pipe *pipe = io_pipes_take(&pipes);
    assert_non_null(pipe);
    assert_int_equal(pipes.refused_count, IO_PIPES_PAUSE + 1);
    io_pipes_give(&pipes, pipe, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lends_what_is_worth_while, setup, teardown),
        cmocka_unit_test_setup_teardown(lends_the_same_one_again_once_it_is_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(lends_so_many_and_keeps_few, setup, teardown),
        cmocka_unit_test_setup_teardown(asks_the_system_seldom_once_it_refuses, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
