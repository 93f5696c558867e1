// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "daemon/daemon_user.h"

#include <errno.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host.h"

// What does not hold in a process that was root: the number of the first, or 0.
static int fault_of_root(void)
{
    const struct passwd *own = getpwnam("fairlead");
    const char *name = own != NULL ? "fairlead" : "nobody";
    const uid_t uid = own != NULL ? own->pw_uid : HOST_NOBODY;
    char line[64];

    snprintf(line, sizeof line, "INFO root given up user=%s\n", name);
    if (daemon_user_drop() != 0) {
        return 1;
    }
    if (getuid() != uid || geteuid() != uid) {
        return 2;
    }
    if (setuid(0) == 0) {
        return 3;
    }
    return strstr(host_log(), line) != NULL ? 0 : 4;
}

// Of one that was not, and stays who it is.
static int fault_of_nobody(void)
{
    if (geteuid() == 0 && setresuid(HOST_NOBODY, HOST_NOBODY, HOST_NOBODY) != 0) {
        return 1;
    }
    const uid_t uid = getuid();
    if (daemon_user_drop() != 0) {
        return 2;
    }
    if (getuid() != uid || prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) {
        return 3;
    }
    return host_log()[0] == '\0' ? 0 : 4; // there was nothing to give up
}

// Without a descriptor to read /etc/passwd by, it is not told that there is no such user.
static int fault_without_descriptors(void)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};

    if (setrlimit(RLIMIT_NOFILE, &none) != 0) {
        return 1;
    }
    return daemon_user_drop() == -EMFILE ? 0 : 2;
}

// In a child, which may lose its rights.
static void expect_no_fault(int (*fault_of)(void))
{
    int status = -1;

    host_log_open(LOG_LINE_HUMAN);
    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(fault_of());
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    host_log_close();
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void root_becomes_a_user_of_our_own(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
    expect_no_fault(fault_of_root);
}

static void what_is_missing_to_look_a_user_up_is_said(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        print_message("skipped: needs root\n");
        skip();
    }
    expect_no_fault(fault_without_descriptors);
}

static void others_stay_who_they_are(void **state)
{
    (void)state;
    expect_no_fault(fault_of_nobody);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(root_becomes_a_user_of_our_own),
        cmocka_unit_test(what_is_missing_to_look_a_user_up_is_said),
        cmocka_unit_test(others_stay_who_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
