// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ipv6.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/io_udp.h"

enum { TIME_LEN = 25 }; // bytes of "2026-01-31T12:00:00.042Z "

static struct {
    int read_fd, write_fd;
    enum log_line_format format;
    char text[1 << 20];
} output = {.read_fd = -1, .write_fd = -1};

void host_log_open(enum log_line_format format)
{
    int fds[2];

    assert_int_equal(output.read_fd, -1);
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
    assert_true(fcntl(fds[1], F_SETPIPE_SZ, 1 << 20) > 0);
    output.read_fd = fds[0];
    output.write_fd = fds[1];
    output.format = format;
    log_open(fds[1], LOG_LEVEL_INFO, format);
}

void host_log_close(void)
{
    log_open(STDOUT_FILENO, LOG_LEVEL_INFO, LOG_LINE_HUMAN);
    close(output.read_fd);
    close(output.write_fd);
    output.read_fd = -1;
    output.write_fd = -1;
}

static void cut_times(char *text)
{
    char *to = text;

    for (const char *line = text; *line != '\0';) {
        const char *end = strchr(line, '\n');
        assert_non_null(end);
        assert_true(end - line > TIME_LEN);
        for (line += TIME_LEN; line <= end; line++) {
            *to++ = *line;
        }
    }
    *to = '\0';
}

const char *host_log(void)
{
    const ssize_t got = read(output.read_fd, output.text, sizeof output.text - 1);

    output.text[got > 0 ? got : 0] = '\0';
    if (output.format == LOG_LINE_HUMAN) {
        cut_times(output.text);
    }
    return output.text;
}

size_t host_descriptor_count(void)
{
    DIR *directory = opendir("/proc/self/fd");
    size_t count = 0;

    assert_non_null(directory);
    for (struct dirent *entry = readdir(directory); entry != NULL; entry = readdir(directory)) {
        count += entry->d_name[0] != '.';
    }
    closedir(directory);
    return count - 1; // without the directory itself
}

void host_descriptor_limit(int more)
{
    static struct rlimit before;
    struct rlimit limit;

    if (more < 0) {
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
        return;
    }
    const int next_fd = dup(STDERR_FILENO);
    assert_true(next_fd >= 0);
    assert_int_equal(close(next_fd), 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    limit = (struct rlimit){(rlim_t)(next_fd + more), before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

struct addr host_loopback(enum addr_family family, uint16_t port)
{
    return family == ADDR_IP6 ? addr_ip6((const uint8_t[16]){[15] = 1}, port)
                              : addr_ip4((const uint8_t[]){127, 0, 0, 1}, port);
}

// Below the ports that the kernel gives to whoever asks for any, so that nobody else comes between
// the question and its use; and no port twice, for tests that run beside one another.
uint16_t host_free_port(enum addr_family family)
{
    enum { LOWEST = 10000, COUNT = 20000, PER_PROCESS = 100 };
    static uint32_t asked;
    struct io_udp udp = {.fd = -1};

    for (uint32_t i = 0; i < COUNT; i++) {
        const uint32_t at = ((uint32_t)getpid() * PER_PROCESS + asked++) % COUNT;
        const struct io_udp_options options = {.local =
                                                   host_loopback(family, (uint16_t)(LOWEST + at))};

        if (io_udp_open(&options, &udp) == 0) {
            io_udp_close(&udp);
            return options.local.port;
        }
    }
    fail_msg("no free port");
    return 0;
}

bool host_has_ip6(void)
{
    struct io_udp udp = {.fd = -1};
    const struct io_udp_options options = {.local = host_loopback(ADDR_IP6, 0)};

    if (io_udp_open(&options, &udp) != 0) {
        puts("skipped: needs IPv6 on loopback");
        return false;
    }
    io_udp_close(&udp);
    return true;
}

static bool raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool is_up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;

    close(fd);
    return is_up;
}

int host_without_network(host_child_fn fn)
{
    enum { NO_RIGHT = 126 };
    int status = -1;

    fflush(NULL);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        // _exit: what cmocka and the sanitizer do at an end is the parent's to do.
        _exit(unshare(CLONE_NEWNET) == 0 && raise_loopback() ? fn() : NO_RIGHT);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_RIGHT) {
        puts("skipped: needs the right to make a network namespace");
        return -1;
    }
    return WEXITSTATUS(status);
}

// The kernel takes a new address into use a little later.
static bool can_bind(const struct sockaddr_in6 *name)
{
    enum { TRIES = 3000, INTERVAL_US = 10000 };
    const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int error = -1;

    for (int i = 0; i < TRIES && error != 0; i++) {
        error = bind(fd, (const struct sockaddr *)name, sizeof *name);
        if (error != 0) {
            usleep(INTERVAL_US);
        }
    }
    close(fd);
    return error == 0;
}

bool host_add_link_local(void)
{
    const struct sockaddr_in6 name = {
        .sin6_family = AF_INET6, .sin6_addr.s6_addr = {0xfe, 0x80, [15] = 1}, .sin6_scope_id = 1};
    struct in6_ifreq request = {
        .ifr6_addr = name.sin6_addr, .ifr6_prefixlen = 64, .ifr6_ifindex = 1};
    const int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const bool is_added = fd >= 0 && ioctl(fd, SIOCSIFADDR, &request) == 0;

    close(fd);
    return is_added && can_bind(&name);
}

void host_expect_text(struct bytes text, const char *expected)
{
    static char copy[1 << 16];

    assert_true(text.len < sizeof copy);
    if (text.len > 0) {
        memcpy(copy, text.ptr, text.len);
    }
    copy[text.len] = '\0';
    assert_string_equal(copy, expected);
}
