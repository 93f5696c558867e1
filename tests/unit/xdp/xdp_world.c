// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp_world.h"

#include <assert.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const char *const set_up[] = {
    "ip link add near0 address 02:00:00:00:00:10 type veth peer far0 address 02:00:00:00:00:20",
    "ip link add near1 address 02:00:00:00:00:11 type veth peer far1 address 02:00:00:00:00:21",
    // Nothing is sent by itself: no duplicate address detection, no router solicitation.
    "sysctl -qw net.ipv6.conf.near0.accept_dad=0 net.ipv6.conf.near0.router_solicitations=0",
    "sysctl -qw net.ipv6.conf.far0.disable_ipv6=1 net.ipv6.conf.far1.disable_ipv6=1",
    "ip link set lo up",
    "ip link set near0 up",
    "ip link set far0 up",
    "ip link set near1 up",
    "ip link set far1 up",
    "ip address add 192.0.2.1/24 dev near0",
    "ip address add 2001:db8::1/64 dev near0 nodad",
    "ip address add 198.51.100.1/24 dev near1",
};

bool xdp_world_enter(void)
{
    if (geteuid() != 0) {
        puts("skipped: needs root");
        return false;
    }
    if (system("command -v ip sysctl >/dev/null") != 0) {
        puts("skipped: needs ip (package iproute2) and sysctl (package procps)");
        return false;
    }
    if (unshare(CLONE_NEWNET) != 0) {
        puts("skipped: cannot make a network namespace");
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(set_up); i++) {
        xdp_world_run("%s", set_up[i]);
    }
    xdp_world_await_carrier("near0", true);
    xdp_world_await_carrier("near1", true);
    return true;
}

void xdp_world_await(xdp_world_fn condition, void *context)
{
    enum { PATIENCE_MS = 30000, STEP_MS = 5 };
    bool is_met = condition(context);

    for (int ms = 0; !is_met && ms < PATIENCE_MS; ms += STEP_MS) {
        nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
        is_met = condition(context);
    }
    assert(is_met);
}

struct carrier {
    const char *name;
    bool has_it;
};

static bool is_carrier_so(void *context)
{
    const struct carrier *carrier = context;
    struct ifreq request = {.ifr_flags = 0};

    strncpy(request.ifr_name, carrier->name, sizeof(request.ifr_name) - 1);
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert(fd >= 0);
    const int error = ioctl(fd, SIOCGIFFLAGS, &request);
    assert(error == 0);
    close(fd);
    return ((request.ifr_flags & IFF_RUNNING) != 0) == carrier->has_it;
}

void xdp_world_await_carrier(const char *name, bool has_carrier)
{
    struct carrier carrier = {name, has_carrier};

    xdp_world_await(is_carrier_so, &carrier);
}

void xdp_world_run(const char *format, ...)
{
    char command[256];
    va_list arguments;

    va_start(arguments, format);
    const int len = vsnprintf(command, sizeof(command), format, arguments);
    va_end(arguments);
    assert(len > 0 && (size_t)len < sizeof(command));
    const int status = system(command);
    if (status != 0) {
        fprintf(stderr, "failed: %s\n", command);
    }
    assert(status == 0);
}

uint32_t xdp_world_ifindex(const char *name)
{
    const uint32_t ifindex = if_nametoindex(name);

    assert(ifindex != 0);
    return ifindex;
}

struct addr xdp_world_addr(const char *text, uint16_t port)
{
    struct addr addr;
    const bool is_addr = addr_read(bytes_of_text(text), &addr);

    assert(is_addr);
    return addr_with_port(addr, port);
}

void xdp_world_open(struct xdp_program *program, uint32_t channel_max, uint32_t hop_max)
{
    const struct addr own[] = {
        xdp_world_addr("192.0.2.1", 0),
        xdp_world_addr("2001:db8::1", 0),
        xdp_world_addr("198.51.100.1", 0),
    };
    const struct xdp_program_options options = {
        .own = own,
        .own_count = COUNT_OF(own),
        .listen_port = 3478,
        .lowest_port = 49152,
        .highest_port = 65535,
        .channel_max = channel_max,
        .hop_max = hop_max,
    };
    struct xdp_reason reason = {0};
    const int error = xdp_program_open(&options, program, &reason);

    if (error != 0) {
        fprintf(stderr, "%s\n", reason.text);
    }
    assert(error == 0);
}

void xdp_world_drop(uint64_t capabilities)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

    const long got = syscall(SYS_capget, &header, data);
    assert(got == 0);
    for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
        const uint32_t keep = ~(uint32_t)(capabilities >> (32 * i));
        data[i].effective &= keep;
        data[i].permitted &= keep;
        data[i].inheritable &= keep;
    }
    const long set = syscall(SYS_capset, &header, data);
    assert(set == 0);
}
