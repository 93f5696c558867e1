// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_reason.h"

#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "xdp_world.h"

static void cuts_what_does_not_fit(void **state)
{
    struct xdp_reason reason;

    (void)state;
    memset(&reason, 'x', sizeof(reason));
    xdp_reason_set(&reason, "%0500d", 7);
    assert_int_equal(strlen(reason.text), XDP_REASON_MAX - 1);
    xdp_reason_set(&reason, "no interface %s", "eth7");
    assert_string_equal(reason.text, "no interface eth7");
}

// Whether a process without these capabilities names `wanted` as what it lacks.
static bool names_when_dropped(uint64_t capabilities, const char *wanted)
{
    int status = -1;
    const pid_t child = fork();

    assert_int_not_equal(child, -1);
    if (child == 0) {
        struct xdp_reason reason;
        xdp_world_drop(capabilities);
        xdp_reason_of_load(&reason, -EPERM);
        fprintf(stderr, "%s\n", reason.text);
        _exit(strstr(reason.text, wanted) == reason.text ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void names_the_capability_that_is_missing(void **state)
{
    const uint64_t admin = UINT64_C(1) << CAP_SYS_ADMIN; // stands for the two newer ones
    const uint64_t bpf = UINT64_C(1) << CAP_BPF;
    const uint64_t perfmon = UINT64_C(1) << CAP_PERFMON;
    const uint64_t net_admin = UINT64_C(1) << CAP_NET_ADMIN;

    (void)state;
    assert_true(names_when_dropped(admin | bpf, "no CAP_BPF:"));
    assert_true(names_when_dropped(admin | perfmon, "no CAP_PERFMON:"));
    assert_true(names_when_dropped(net_admin, "no CAP_NET_ADMIN:"));
    assert_true(names_when_dropped(admin | bpf | perfmon | net_admin, "no CAP_BPF:"));
    assert_true(names_when_dropped(bpf | perfmon, "the kernel does not permit it")); // has admin
    assert_true(names_when_dropped(admin, "the kernel does not permit it"));
}

static void tells_errors_apart(void **state)
{
    struct xdp_reason reason;

    (void)state;
    xdp_reason_of_load(&reason, -ENOMEM);
    assert_non_null(strstr(reason.text, "no memory for maps"));
    xdp_reason_of_load(&reason, -ENOSYS);
    assert_non_null(strstr(reason.text, "has no BPF"));
    xdp_reason_of_load(&reason, -EINVAL);
    assert_non_null(strstr(reason.text, "refuses the program: Invalid argument"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_what_does_not_fit),
        cmocka_unit_test(names_the_capability_that_is_missing),
        cmocka_unit_test(tells_errors_apart),
    };
    return xdp_world_enter() ? cmocka_run_group_tests(tests, NULL, NULL) : XDP_WORLD_SKIPPED;
}
