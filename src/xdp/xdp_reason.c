// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_reason.h"

#include <assert.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

enum {
    // Since 5.19 who has given up all rights may still write to maps that it has open, and attach a
    // program that it has loaded, whatever kernel.unprivileged_bpf_disabled says. The first kernel
    // after it that was maintained for long, and with which this is tested:
    KERNEL_MAJOR = 6,
    KERNEL_MINOR = 1,
};

void xdp_reason_set(struct xdp_reason *reason, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    const int len = vsnprintf(reason->text, sizeof(reason->text), format, arguments);
    va_end(arguments);
    assert(len >= 0);
}

// The capabilities that this process has, as a set of bits by number; none when it cannot be told.
static uint64_t capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

    if (syscall(SYS_capget, &header, data) != 0) {
        return 0;
    }
    return (uint64_t)data[1].effective << 32 | data[0].effective;
}

// Names the first capability that loading needs and this process has not; NULL when it has all.
static const char *missing_capability(void)
{
    const uint64_t held = capabilities();
    const bool is_admin = (held >> CAP_SYS_ADMIN & 1) != 0;

    if (!is_admin && (held >> CAP_BPF & 1) == 0) {
        return "CAP_BPF";
    }
    if ((held >> CAP_NET_ADMIN & 1) == 0) {
        return "CAP_NET_ADMIN";
    }
    if (!is_admin && (held >> CAP_PERFMON & 1) == 0) {
        return "CAP_PERFMON";
    }
    return NULL;
}

bool xdp_reason_is_kernel_old(struct xdp_reason *reason)
{
    struct utsname name;
    unsigned int major = 0;
    unsigned int minor = 0;

    // NOLINTNEXTLINE(cert-err34-c): a release that has no numbers is not called old.
    if (uname(&name) != 0 || sscanf(name.release, "%u.%u", &major, &minor) != 2 ||
        major > KERNEL_MAJOR || (major == KERNEL_MAJOR && minor >= KERNEL_MINOR)) {
        return false;
    }
    xdp_reason_set(reason, "this kernel is %s, and %d.%d or later is needed", name.release,
                   (int)KERNEL_MAJOR, (int)KERNEL_MINOR);
    return true;
}

void xdp_reason_of_load(struct xdp_reason *reason, int error)
{
    const char *capability = missing_capability();

    assert(error < 0);
    if ((error == -EPERM || error == -EACCES) && capability != NULL) {
        xdp_reason_set(reason,
                       "no %s: CAP_BPF, CAP_NET_ADMIN and CAP_PERFMON are needed to load it",
                       capability);
    } else if (error == -EPERM) {
        xdp_reason_set(reason, "the kernel does not permit it: a seccomp filter, or lockdown");
    } else if (error == -ENOMEM || error == -E2BIG) {
        xdp_reason_set(reason, "the kernel has no memory for maps of this size (%s)",
                       strerror(-error));
    } else if (error == -ENOSYS) {
        xdp_reason_set(reason, "this kernel has no BPF, or a seccomp filter hides it");
    } else {
        xdp_reason_set(reason, "the kernel refuses the program: %s", strerror(-error));
    }
}
