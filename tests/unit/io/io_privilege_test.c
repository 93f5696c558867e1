// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { SKIPPED = 77, NOBODY = 65534 };

static void finds_users_by_name(void **state)
{
    struct io_privilege_user user = {.uid = 77, .gid = 77};

    (void)state;
    assert_int_equal(io_privilege_find("no-such-user-here", &user), -ENOENT);
    assert_int_equal(user.uid, 77);
    assert_int_equal(io_privilege_find("root", &user), 0);
    assert_int_equal(user.uid, 0);
    assert_int_equal(user.gid, 0);
}

static void refuses_to_drop_to_root(void **state)
{
    (void)state;
    assert_int_equal(io_privilege_drop((struct io_privilege_user){.uid = 0, .gid = 1}), -EINVAL);
    assert_int_equal(io_privilege_drop((struct io_privilege_user){.uid = 1, .gid = 0}), -EINVAL);
}

// What must hold in a process that dropped; returns the number of the first that does not, or 0.
static int fault_after_drop(void)
{
    const gid_t groups[] = {0, 4};

    if (setgroups(COUNT_OF(groups), groups) != 0) {
        return 1;
    }
    if (!io_privilege_is_root()) {
        return 2;
    }
    if (io_privilege_drop((struct io_privilege_user){.uid = NOBODY, .gid = NOBODY}) != 0) {
        return 3;
    }
    if (io_privilege_is_root()) {
        return 4;
    }
    if (getuid() != NOBODY || geteuid() != NOBODY || getgid() != NOBODY || getegid() != NOBODY) {
        return 5;
    }
    if (getgroups(0, NULL) != 0) {
        return 6;
    }
    if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 || setegid(0) == 0) {
        return 7;
    }
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
        return 8;
    }
    if (open("/etc/shadow", O_RDONLY | O_CLOEXEC) >= 0) {
        return 9;
    }
    // A second time there is nothing left to give up, and no right to.
    return io_privilege_drop((struct io_privilege_user){.uid = 1, .gid = 1}) == -EPERM ? 0 : 10;
}

static void drops_root_for_good(void **state)
{
    int status = -1;

    (void)state;
    const pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        _exit(fault_after_drop());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    if (!io_privilege_is_root()) {
        puts("skipped: needs root, to give it up");
        return SKIPPED;
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_users_by_name),
        cmocka_unit_test(refuses_to_drop_to_root),
        cmocka_unit_test(drops_root_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
