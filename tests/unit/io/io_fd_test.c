// SPDX-License-Identifier: Apache-2.0
#include "io/io_fd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static void closes_at_the_end_of_the_scope(void **state)
{
    int seen = -1;

    (void)state;
    {
        IO_FD_AUTO int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_true(is_open(fd));
        seen = fd;
    }
    assert_false(is_open(seen));
}

static void keeps_open_what_was_taken(void **state)
{
    int taken = -1;

    (void)state;
    {
        IO_FD_AUTO int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
        taken = io_fd_take(&fd);
        assert_int_equal(fd, -1);
    }
    assert_true(is_open(taken));
    io_fd_close(&taken);
    assert_int_equal(taken, -1);
    io_fd_close(&taken); // nothing to close any more
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(closes_at_the_end_of_the_scope),
        cmocka_unit_test(keeps_open_what_was_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
