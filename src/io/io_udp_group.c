// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_udp_group.h"

#include <assert.h>
#include <errno.h>
#include <linux/filter.h>
#include <stdint.h>
#include <sys/socket.h>

int io_udp_group_probe(const struct addr *local)
{
    struct io_udp udp = {.fd = -1};
    const int error = io_udp_open(&(struct io_udp_options){.local = *local}, &udp);

    if (error == 0) {
        io_udp_close(&udp);
    }
    return error;
}

// The group itself comes to be when the second socket is bound.
int io_udp_group_found(const struct io_udp *udp)
{
    const int yes = 1;

    return setsockopt(udp->fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) == 0 ? 0 : -errno;
}

int io_udp_group_steer(const struct io_udp *udp, const struct sock_filter *program,
                       size_t program_len)
{
    assert(program_len <= UINT16_MAX);
    const struct sock_fprog whole = {
        .len = (unsigned short)program_len,
        // setsockopt(2) only reads; its struct does not say so.
        .filter = (struct sock_filter *)(uintptr_t)program,
    };
    const int error =
        setsockopt(udp->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &whole, sizeof whole);

    return error == 0 ? 0 : -errno;
}
