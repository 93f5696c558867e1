// SPDX-License-Identifier: Apache-2.0
// What the kernel asks of who loads the program.
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/capability.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "uapi/relay_abi.h"

#include "relay.skel.h"

enum { SKIP = 77 };

static int print_nothing(enum libbpf_print_level level, const char *format, va_list args)
{
    (void)level;
    (void)format;
    (void)args;
    return 0;
}

// With the most that the settings can ask for. Of what they do not, the verifier looks at nothing.
static struct relay_abi_settings full_settings(void)
{
    struct relay_abi_settings settings = {
        .own_count = RELAY_ABI_OWN_MAX,
        .listen_port = 3478,
        .lowest_port = 49152,
        .highest_port = 65535,
        .answers_binding = 1,
    };

    for (uint8_t i = 0; i < RELAY_ABI_OWN_MAX; i++) {
        settings.own[i].family = i % 2 == 0 ? RELAY_ABI_IP4 : RELAY_ABI_IP6;
        settings.own[i].ip[0] = 0x20;
        settings.own[i].ip[3] = i;
    }
    return settings;
}

// Loads it in a child that has these capabilities, and no other. Gives 0 or an errno.
static int load_with(uint64_t capabilities)
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
        struct __user_cap_data_struct data[2] = {
            {.effective = (uint32_t)capabilities, .permitted = (uint32_t)capabilities},
            {.effective = (uint32_t)(capabilities >> 32),
             .permitted = (uint32_t)(capabilities >> 32)},
        };
        if (syscall(SYS_capset, &header, data) != 0) {
            _exit(255);
        }
        (void)libbpf_set_print(print_nothing);
        struct relay_bpf *skel = relay_bpf__open();
        if (skel == NULL) {
            _exit(254);
        }
        skel->rodata->settings = full_settings();
        int error = -relay_bpf__load(skel);
        relay_bpf__destroy(skel);
        _exit(error);
    }
    assert_true(waitpid(child, &status, 0) == child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static uint64_t bit(unsigned capability)
{
    return UINT64_C(1) << capability;
}

static void needs_three_capabilities_and_no_more(void **state)
{
    const uint64_t three = bit(CAP_BPF) | bit(CAP_NET_ADMIN) | bit(CAP_PERFMON);

    (void)state;
    assert_int_equal(load_with(three), 0);
    assert_int_equal(load_with(three & ~bit(CAP_BPF)), EPERM);
    assert_int_equal(load_with(three & ~bit(CAP_NET_ADMIN)), EPERM);
    assert_int_not_equal(load_with(three & ~bit(CAP_PERFMON)), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(needs_three_capabilities_and_no_more),
    };

    if (geteuid() != 0) {
        printf("skipped: needs root\n");
        return SKIP;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
