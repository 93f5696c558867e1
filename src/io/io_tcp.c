// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_tcp.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "io/io_fd.h"
#include "io/io_sockaddr.h"

static int set_option(int fd, int level, int name, uint32_t value)
{
    const int number = value < INT_MAX ? (int)value : INT_MAX;

    return setsockopt(fd, level, name, &number, sizeof number) == 0 ? 0 : -errno;
}

static int set_options(int fd, enum addr_family family, const struct io_tcp_options *options)
{
    const struct {
        int level;
        int name;
        uint32_t value;
        bool is_wanted;
    } table[] = {
        // A port on which connections of the last start are still fading away is free.
        {SOL_SOCKET, SO_REUSEADDR, 1, true},
        {SOL_SOCKET, SO_KEEPALIVE, 1, true},
        {SOL_SOCKET, SO_RCVBUF, options->receive_len / 2,
         options->receive_len > 0}, // it is doubled
        {IPPROTO_TCP, TCP_NODELAY, 1, true},
        {IPPROTO_TCP, TCP_KEEPIDLE, IO_TCP_KEEPALIVE_IDLE_S, true},
        {IPPROTO_TCP, TCP_KEEPINTVL, IO_TCP_KEEPALIVE_INTERVAL_S, true},
        {IPPROTO_TCP, TCP_KEEPCNT, IO_TCP_KEEPALIVE_COUNT, true},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, options->unacknowledged_ms, options->unacknowledged_ms > 0},
        {IPPROTO_IPV6, IPV6_V6ONLY, options->is_ip6_alone, family == ADDR_IP6},
    };
    int error = 0;

    for (size_t i = 0; i < COUNT_OF(table) && error == 0; i++) {
        if (table[i].is_wanted) {
            error = set_option(fd, table[i].level, table[i].name, table[i].value);
        }
    }
    return error;
}

static int open_socket(const struct addr *addr, const struct io_tcp_options *options, int *out)
{
    const int family = addr->family == ADDR_IP6 ? AF_INET6 : AF_INET;
    IO_FD_AUTO int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    assert(addr->family != ADDR_NONE);
    if (fd < 0) {
        return -errno;
    }
    const int error = set_options(fd, (enum addr_family)addr->family, options);
    if (error == 0) {
        *out = io_fd_take(&fd);
    }
    return error;
}

static int bind_to(int fd, const struct addr *addr)
{
    struct sockaddr_storage name = {0};
    const socklen_t len = io_sockaddr_write(addr, 0, &name);

    return bind(fd, (struct sockaddr *)&name, len) == 0 ? 0 : -errno;
}

int io_tcp_listen(const struct addr *at, const struct io_tcp_options *options, int *out,
                  struct addr *bound)
{
    struct sockaddr_storage name = {0};
    socklen_t len = sizeof name;
    const uint32_t most = INT_MAX; // the system has a limit of its own
    const int backlog =
        (int)(options->backlog == 0 || options->backlog > most ? most : options->backlog);
    IO_FD_AUTO int fd = -1;
    int error = open_socket(at, options, &fd);

    if (error == 0) {
        error = bind_to(fd, at);
    }
    if (error != 0) {
        return error;
    }
    if (listen(fd, backlog) != 0 || getsockname(fd, (struct sockaddr *)&name, &len) != 0) {
        return -errno;
    }
    if (!io_sockaddr_read(&name, len, bound, NULL)) {
        return -EAFNOSUPPORT;
    }
    *out = io_fd_take(&fd);
    return 0;
}

int io_tcp_accept(int listen_fd, int *out, struct addr *from)
{
    struct sockaddr_storage name = {0};
    socklen_t len = sizeof name;
    struct addr addr = {0};
    IO_FD_AUTO int fd =
        accept4(listen_fd, (struct sockaddr *)&name, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd < 0) {
        return errno == EWOULDBLOCK ? -EAGAIN : -errno;
    }
    if (!io_sockaddr_read(&name, len, &addr, NULL)) {
        return -EAFNOSUPPORT;
    }
    *out = io_fd_take(&fd);
    *from = addr_unmapped(&addr);
    return 0;
}

bool io_tcp_is_passing(int error)
{
    assert(error < 0);
    return error != -EAGAIN && error != -EMFILE && error != -ENFILE && error != -ENOBUFS &&
           error != -ENOMEM;
}

int io_tcp_connect(const struct addr *to, const struct addr *from,
                   const struct io_tcp_options *options, int *out)
{
    struct sockaddr_storage name = {0};
    const socklen_t len = io_sockaddr_write(to, 0, &name);
    IO_FD_AUTO int fd = -1;
    int error = open_socket(to, options, &fd);

    if (error == 0 && from != NULL) {
        error = bind_to(fd, from);
    }
    if (error == 0 && connect(fd, (struct sockaddr *)&name, len) != 0 && errno != EINPROGRESS) {
        error = -errno;
    }
    if (error == 0) {
        *out = io_fd_take(&fd);
    }
    return error;
}

int io_tcp_set_unacknowledged(int fd, uint32_t unacknowledged_ms)
{
    return setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms,
                      sizeof unacknowledged_ms) == 0
               ? 0
               : -errno;
}

int io_tcp_local(int fd, struct addr *out)
{
    struct sockaddr_storage name = {0};
    socklen_t len = sizeof name;
    struct addr addr = {0};

    if (getsockname(fd, (struct sockaddr *)&name, &len) != 0) {
        return -errno;
    }
    if (!io_sockaddr_read(&name, len, &addr, NULL)) {
        return -EAFNOSUPPORT;
    }
    *out = addr_unmapped(&addr);
    return 0;
}

int io_tcp_error(int fd)
{
    struct tcp_info info = {0};
    socklen_t info_len = sizeof info;
    int error = 0;
    socklen_t len = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0) {
        return -errno;
    }
    if (error == 0 && getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &info_len) == 0 &&
        info.tcpi_state == TCP_SYN_SENT) {
        return -EINPROGRESS;
    }
    return -error;
}

size_t io_tcp_unacknowledged_len(int fd)
{
    int len = 0;

    return ioctl(fd, SIOCOUTQ, &len) == 0 && len > 0 ? (size_t)len : 0;
}

void io_tcp_reset(int *fd)
{
    static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    if (*fd >= 0) {
        // What is no TCP socket any more is closed as well.
        IGNORE(setsockopt(*fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once));
        io_fd_close(fd);
    }
}
