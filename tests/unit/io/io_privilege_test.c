// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
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

// Runs it in a child, which may lose its rights.
static void expect_no_fault(int (*fault_of)(void))
{
    int status = -1;

    const pid_t child = fork();
    assert_int_not_equal(child, -1);
    if (child == 0) {
        _exit(fault_of());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void drops_root_for_good(void **state)
{
    (void)state;
    expect_no_fault(fault_after_drop);
}

static bool has_capability(int capability)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {0};

    IGNORE(syscall(SYS_capget, &header, sets)); // then there are none
    return (sets[CAP_TO_INDEX(capability)].permitted & CAP_TO_MASK(capability)) != 0;
}

// As a user to whom a service manager has given capabilities.
static int fault_after_shedding(void)
{
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0 || setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
        setresuid(NOBODY, NOBODY, NOBODY) != 0) {
        return 1;
    }
    if (!has_capability(CAP_BPF) || !has_capability(CAP_NET_ADMIN) ||
        !has_capability(CAP_PERFMON) || !has_capability(CAP_NET_BIND_SERVICE)) {
        return 2;
    }
    if (io_privilege_shed() != 0) {
        return 3;
    }
    if (has_capability(CAP_BPF) || has_capability(CAP_NET_ADMIN) || has_capability(CAP_PERFMON)) {
        return 4;
    }
    if (!has_capability(CAP_NET_BIND_SERVICE)) {
        return 5;
    }
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
        return 6;
    }
    return io_privilege_shed() == 0 ? 0 : 7; // twice is once
}

static void sheds_what_only_starting_needs(void **state)
{
    (void)state;
    expect_no_fault(fault_after_shedding);
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
        cmocka_unit_test(sheds_what_only_starting_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
