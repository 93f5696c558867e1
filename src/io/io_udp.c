// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_udp.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io_fd.h"
#include "io/io_sockaddr.h"

enum { SEND_TRY_MAX = 3 }; // sendmsg calls for one datagram

static int set_option(int fd, int level, int name, int value)
{
    return setsockopt(fd, level, name, &value, sizeof(value)) == 0 ? 0 : -errno;
}

// DONT is DF clear, as RFC 8656 section 14 wants of packets without DONT-FRAGMENT; PROBE is DF set,
// and pays no heed to the path MTU cache, which strangers can fill by ICMP.
//
// In IPv4 the kernel hides "fragmentation needed" from a socket that is at DONT when it arrives,
// though it was at PROBE when the packet left. A socket that wants errors therefore clears DF by
// OMIT, which hides nothing and pays no heed to the cache either. IPv6 is the other way round:
// OMIT hides "packet too big", and DONT learns the path's MTU from it, as somebody must where only
// the sender fragments.
static int set_df(int fd, enum addr_family family, bool is_df, bool has_errors)
{
    if (family == ADDR_IP4) {
        const int clear = has_errors ? IP_PMTUDISC_OMIT : IP_PMTUDISC_DONT;
        return set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, is_df ? IP_PMTUDISC_PROBE : clear);
    }
    return set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER,
                      is_df ? IPV6_PMTUDISC_PROBE : IPV6_PMTUDISC_DONT);
}

static int set_options(int fd, const struct io_udp_options *options)
{
    const bool is_ip6 = options->local.family == ADDR_IP6;
    int error = set_df(fd, (enum addr_family)options->local.family, false, options->has_errors);

    if (error == 0 && is_ip6) {
        error = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
    }
    if (error == 0 && options->is_shared) {
        error = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
    }
    if (error == 0 && options->has_destination && addr_is_unspecified(&options->local)) {
        error = is_ip6 ? set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1)
                       : set_option(fd, IPPROTO_IP, IP_PKTINFO, 1);
    }
    if (error == 0 && options->has_ip_fields) {
        error = is_ip6 ? set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)
                       : set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
    }
    if (error == 0 && options->has_ip_fields) {
        error = is_ip6 ? set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1)
                       : set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
    }
    if (error == 0 && options->has_errors) {
        error = is_ip6 ? set_option(fd, IPPROTO_IPV6, IPV6_RECVERR, 1)
                       : set_option(fd, IPPROTO_IP, IP_RECVERR, 1);
    }
    if (error == 0) {
        error = set_option(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);
    }
    if (error == 0 && options->has_trains) {
        // A wish: kernels before 5.0 hand out one datagram at a time.
        IGNORE(set_option(fd, IPPROTO_UDP, UDP_GRO, 1));
    }
    return error;
}

// Wishes for a buffer, and returns how long it is. Without the right to force it (CAP_NET_ADMIN)
// the kernel takes as much as net.core.rmem_max or wmem_max allows and says nothing of the rest.
static uint32_t set_buffer(int fd, int name, int force_name, uint32_t len)
{
    const int wanted = len < INT_MAX ? (int)len : INT_MAX;
    int given = 0;
    socklen_t given_len = sizeof(given);

    if (len > 0 && set_option(fd, SOL_SOCKET, force_name, wanted) != 0) {
        // The socket works with its default, too.
        IGNORE(set_option(fd, SOL_SOCKET, name, wanted));
    }
    if (getsockopt(fd, SOL_SOCKET, name, &given, &given_len) != 0) {
        return 0;
    }
    return (uint32_t)given / 2; // the kernel doubles it, for what it needs to keep bytes in
}

static int bind_to(int fd, const struct addr *local, struct addr *bound)
{
    struct sockaddr_storage name;
    socklen_t len = io_sockaddr_write(local, 0, &name);

    if (bind(fd, (struct sockaddr *)&name, len) != 0) {
        return -errno;
    }
    len = sizeof(name);
    if (getsockname(fd, (struct sockaddr *)&name, &len) != 0) {
        return -errno;
    }
    return io_sockaddr_read(&name, len, bound, NULL) ? 0 : -EAFNOSUPPORT;
}

int io_udp_open(const struct io_udp_options *options, struct io_udp *out)
{
    struct addr bound = {.family = ADDR_NONE};

    assert(options->local.family != ADDR_NONE);
    IO_FD_AUTO int fd = socket(options->local.family == ADDR_IP6 ? AF_INET6 : AF_INET,
                               SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0) {
        return -errno;
    }
    int error = set_options(fd, options);
    if (error != 0) {
        return error;
    }
    const uint32_t buffer_len =
        set_buffer(fd, SO_RCVBUF, SO_RCVBUFFORCE, options->receive_buffer_len);
    IGNORE(set_buffer(fd, SO_SNDBUF, SO_SNDBUFFORCE, options->send_buffer_len));
    error = bind_to(fd, &options->local, &bound);
    if (error != 0) {
        return error;
    }
    assert(bound.port != 0);
    *out = (struct io_udp){
        .fd = io_fd_take(&fd),
        .local = bound,
        .has_errors = options->has_errors,
        .receive_buffer_len = buffer_len,
    };
    return 0;
}

void io_udp_close(struct io_udp *udp)
{
    io_fd_close(&udp->fd);
}

// Room for a source address, a TTL, a TOS and the length of segments as control messages.
union control {
    struct cmsghdr align;
    uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int)) +
                  CMSG_SPACE(sizeof(uint16_t))];
};

// Puts a control message behind those that are there.
static void put_control(struct msghdr *header, union control *control, int level, int type,
                        const void *data, size_t len)
{
    const struct cmsghdr head = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    uint8_t *const at = control->bytes + header->msg_controllen;

    header->msg_control = control;
    header->msg_controllen += CMSG_SPACE(len);
    assert(header->msg_controllen <= sizeof(control->bytes));
    memcpy(at, &head, sizeof(head));
    memcpy(at + CMSG_LEN(0), data, len);
}

static void put_source(struct msghdr *header, union control *control, const struct addr *from,
                       uint32_t scope)
{
    struct in_pktinfo info4 = {0};
    struct in6_pktinfo info6 = {.ipi6_ifindex = scope};

    if (from->family == ADDR_IP6) {
        memcpy(&info6.ipi6_addr, from->ip, ADDR_IP6_LEN);
        put_control(header, control, IPPROTO_IPV6, IPV6_PKTINFO, &info6, sizeof(info6));
    } else {
        memcpy(&info4.ipi_spec_dst, from->ip, ADDR_IP4_LEN);
        put_control(header, control, IPPROTO_IP, IP_PKTINFO, &info4, sizeof(info4));
    }
}

static void put_ip_fields(struct msghdr *header, union control *control, bool is_ip6,
                          const struct io_udp_message *message)
{
    const int level = is_ip6 ? IPPROTO_IPV6 : IPPROTO_IP;
    const int ttl = message->ttl;
    const int tos = message->tos;

    if (ttl != 0) {
        put_control(header, control, level, is_ip6 ? IPV6_HOPLIMIT : IP_TTL, &ttl, sizeof(ttl));
    }
    if (tos != 0) { // which the socket has from its birth
        put_control(header, control, level, is_ip6 ? IPV6_TCLASS : IP_TOS, &tos, sizeof(tos));
    }
}

struct iovec io_udp_part(struct bytes span)
{
    // sendmsg(2) only reads; its struct does not say so.
    return (struct iovec){.iov_base = (void *)(uintptr_t)span.ptr, .iov_len = span.len};
}

// The errors in whose name the kernel tells of an ICMP message (icmp_err_convert in its
// net/ipv4/icmp.c, tab_unreach in net/ipv6/icmp.c). Each may also be this send's own.
static bool is_icmp(int error)
{
    return error == ECONNREFUSED || error == EHOSTUNREACH || error == ENETUNREACH ||
           error == EMSGSIZE || error == EACCES || error == EPROTO || error == ENOPROTOOPT ||
           error == EOPNOTSUPP || error == EHOSTDOWN || error == ENONET;
}

// An error that waits at the socket is told once, in place of sending; so another try sends, if not
// another ICMP message came in the microsecond between. SEND_TRY_MAX bounds what a flood of them
// can do, and what a send costs that cannot succeed.
static int send_to(const struct io_udp *udp, const struct msghdr *header)
{
    const int try_count = udp->has_errors ? SEND_TRY_MAX : 1;
    int error = 0;

    for (int try = 0; try < try_count; try++) {
        if (sendmsg(udp->fd, header, MSG_NOSIGNAL) >= 0) {
            return 0;
        }
        error = errno;
        if (!is_icmp(error)) {
            break;
        }
    }
    return -error;
}

// Sends what `parts` hold, as one datagram, or in datagrams of segment_len bytes if that is not 0.
static int send_parts(struct io_udp *udp, const struct io_udp_message *message,
                      const struct io_udp_train *train)
{
    const struct addr *const from = message->from;
    struct sockaddr_storage name;
    union control control = {0};
    struct msghdr header = {
        .msg_name = &name, .msg_iov = train->parts, .msg_iovlen = train->part_count};

    assert(message->to != NULL);
    if (message->to->family != udp->local.family || message->to->port == 0) {
        return -EINVAL;
    }
    header.msg_namelen = io_sockaddr_write(message->to, message->scope, &name);
    if (from != NULL && addr_is_unspecified(&udp->local) && !addr_is_unspecified(from)) {
        if (from->family != udp->local.family) {
            return -EINVAL;
        }
        put_source(&header, &control, from, message->scope);
    }
    put_ip_fields(&header, &control, udp->local.family == ADDR_IP6, message);
    if (train->segment_len != 0) {
        put_control(&header, &control, IPPROTO_UDP, UDP_SEGMENT, &train->segment_len,
                    sizeof(train->segment_len));
    }
    if (message->is_df != udp->is_df) {
        const int error =
            set_df(udp->fd, (enum addr_family)udp->local.family, message->is_df, udp->has_errors);
        if (error != 0) {
            return error;
        }
        udp->is_df = message->is_df;
    }
    return send_to(udp, &header);
}

int io_udp_send(struct io_udp *udp, const struct io_udp_message *message)
{
    static const uint8_t padding[IO_UDP_PADDING_MAX];
    struct iovec parts[] = {io_udp_part(message->head), io_udp_part(message->payload),
                            io_udp_part((struct bytes){padding, message->padding_len})};

    assert(message->padding_len <= IO_UDP_PADDING_MAX);
    return send_parts(udp, message, &(struct io_udp_train){parts, COUNT_OF(parts), 0});
}

int io_udp_send_train(struct io_udp *udp, const struct io_udp_message *message,
                      const struct io_udp_train *train)
{
    assert(train->segment_len > 0);
    assert(train->part_count > 0);
    return send_parts(udp, message, train);
}
