// SPDX-License-Identifier: Apache-2.0
#include "probe/probe_socket.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <unistd.h>

#include "base/macro.h"
#include "io/io_fd.h"
#include "io/io_sockaddr.h"

enum {
    BUFFER_LEN = 4 * 1024 * 1024, // bytes, if the system grants them
    UDP_HEADER_LEN = 8,           // bytes, at which a filter begins to see a datagram
};

static int set(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof value) == 0 ? 0 : -errno;
}

static int prepare(int fd, const struct addr *local, const struct addr *remote)
{
    struct sockaddr_storage storage;
    socklen_t len = io_sockaddr_write(local, 0, &storage);

    // As much as there is: less is no error.
    IGNORE(set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_LEN));
    IGNORE(set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_LEN));
    if (bind(fd, (const struct sockaddr *)&storage, len) != 0) {
        return -errno;
    }
    if (remote == NULL) {
        return 0;
    }
    len = io_sockaddr_write(remote, 0, &storage);
    return connect(fd, (const struct sockaddr *)&storage, len) == 0 ? 0 : -errno;
}

int probe_socket_open(const struct addr *local, const struct addr *remote, int *out)
{
    int family = local->family == ADDR_IP4 ? AF_INET : AF_INET6;
    IO_FD_AUTO int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return -errno;
    }
    int error = prepare(fd, local, remote);
    if (error == 0) {
        *out = io_fd_take(&fd);
    }
    return error;
}

int probe_socket_local(int fd, struct addr *out)
{
    struct sockaddr_storage storage = {0};
    socklen_t len = sizeof storage;

    if (getsockname(fd, (struct sockaddr *)&storage, &len) != 0) {
        return -errno;
    }
    return io_sockaddr_read(&storage, len, out, NULL) ? 0 : -EAFNOSUPPORT;
}

static int attach(int fd, struct sock_filter *code, uint16_t count)
{
    struct sock_fprog program = {.len = count, .filter = code};

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0 ? 0 : -errno;
}

int probe_socket_count(int fd, uint32_t at, uint32_t mark)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, UDP_HEADER_LEN + at),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, mark, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, 0),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    };

    return attach(fd, code, COUNT_OF(code));
}

int probe_socket_refuse(int fd)
{
    struct sock_filter code[] = {BPF_STMT(BPF_RET | BPF_K, 0)};

    return attach(fd, code, COUNT_OF(code));
}

int probe_socket_refused(int fd, uint32_t *out)
{
    uint32_t info[SK_MEMINFO_VARS] = {0};
    socklen_t len = sizeof info;

    if (getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0) {
        return -errno;
    }
    *out = info[SK_MEMINFO_DROPS];
    return 0;
}

int probe_socket_stamp(int fd)
{
    return set(fd, SOL_SOCKET, SO_TIMESTAMPNS, 1);
}

void probe_socket_cut(struct msghdr *message, uint8_t control[PROBE_SOCKET_CONTROL_LEN],
                      uint16_t segment_len)
{
    message->msg_control = control;
    message->msg_controllen = PROBE_SOCKET_CONTROL_LEN;
    struct cmsghdr *head = CMSG_FIRSTHDR(message);
    head->cmsg_level = SOL_UDP;
    head->cmsg_type = UDP_SEGMENT;
    head->cmsg_len = CMSG_LEN(sizeof segment_len);
    memcpy(CMSG_DATA(head), &segment_len, sizeof segment_len);
}
