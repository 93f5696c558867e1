// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_udp_error.h"

#include <assert.h>
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h> // for struct timespec, which linux/errqueue.h uses

#include <linux/errqueue.h>

#include "io/io_sockaddr.h"

enum { PASS_MAX = 8 }; // entries passed over in one read; the next read passes over the rest

// Room for the error with the sender of the ICMP message, and for what else the socket asks to know
// of datagrams: the kernel tells of the ICMP message's destination, TTL and TOS as well.
union control {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6)) +
                  CMSG_SPACE(sizeof(struct in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int))];
};

static bool find_extended(struct msghdr *header, struct sock_extended_err *out)
{
    for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg != NULL;
         cmsg = CMSG_NXTHDR(header, cmsg)) {
        const bool is_ip4 = cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_RECVERR;
        const bool is_ip6 = cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_RECVERR;

        if ((is_ip4 || is_ip6) && cmsg->cmsg_len >= CMSG_LEN(sizeof(*out))) {
            memcpy(out, CMSG_DATA(cmsg), sizeof(*out));
            return true;
        }
    }
    return false;
}

// Fills all but the peer. False when the entry is no error of a datagram: a timestamp, say.
static bool read_extended(const struct sock_extended_err *extended, struct io_udp_error *error)
{
    bool is_too_big = false;

    switch (extended->ee_origin) {
    case SO_EE_ORIGIN_LOCAL:
        error->origin = IO_UDP_ERROR_LOCAL;
        is_too_big = extended->ee_errno == EMSGSIZE;
        break;
    case SO_EE_ORIGIN_ICMP:
        error->origin = IO_UDP_ERROR_ICMP4;
        is_too_big =
            extended->ee_type == ICMP_DEST_UNREACH && extended->ee_code == ICMP_FRAG_NEEDED;
        break;
    case SO_EE_ORIGIN_ICMP6:
        error->origin = IO_UDP_ERROR_ICMP6;
        is_too_big = extended->ee_type == ICMP6_PACKET_TOO_BIG;
        break;
    default:
        return false;
    }
    if (error->origin != IO_UDP_ERROR_LOCAL) {
        error->type = extended->ee_type;
        error->code = extended->ee_code;
    }
    error->error = (int)extended->ee_errno;
    error->mtu = is_too_big ? extended->ee_info : 0;
    return true;
}

bool io_udp_error_read(const struct io_udp *udp, struct io_udp_error *out)
{
    for (int pass = 0; pass < PASS_MAX; pass++) {
        struct sockaddr_storage name;
        union control control;
        struct sock_extended_err extended;
        struct io_udp_error error = {.mtu = 0};
        // The datagram itself, as much of it as came back, is not wanted.
        struct msghdr header = {.msg_name = &name,
                                .msg_namelen = sizeof(name),
                                .msg_control = &control,
                                .msg_controllen = sizeof(control)};

        if (recvmsg(udp->fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) {
            return false;
        }
        if (find_extended(&header, &extended) && read_extended(&extended, &error) &&
            io_sockaddr_read(&name, header.msg_namelen, &error.peer, &error.scope) &&
            // Of its own IPv4 errors the kernel does not tell the port.
            (error.peer.port != 0 || error.origin == IO_UDP_ERROR_LOCAL)) {
            *out = error;
            return true;
        }
    }
    return false;
}

void io_udp_error_clear(const struct io_udp *udp)
{
    const bool is_ip6 = udp->local.family == ADDR_IP6;
    const int level = is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP;
    const int name = is_ip6 ? IPV6_RECVERR : IP_RECVERR;
    int waiting = 0;
    socklen_t len = sizeof(waiting);

    assert(udp->has_errors);
    // The kernel empties the queue of a socket that stops to want errors.
    for (int is_wanted = 0; is_wanted <= 1; is_wanted++) {
        const int result = setsockopt(udp->fd, level, name, &is_wanted, sizeof(is_wanted));
        assert(result == 0);
    }
    const int result = getsockopt(udp->fd, SOL_SOCKET, SO_ERROR, &waiting, &len); // clears it, too
    assert(result == 0);
}
