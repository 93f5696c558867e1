// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "xdp/xdp_netlink.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    // Answers to earlier questions, given up on, that may lie before the one that is waited for.
    STALE_MAX = 4,
};

int xdp_netlink_open(struct xdp_netlink *out)
{
    const struct sockaddr_nl any = {.nl_family = AF_NETLINK};
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

    if (fd < 0) {
        return -errno;
    }
    // Until it has a port of its own, it has the kernel's, who sends no event to itself.
    if (bind(fd, (const struct sockaddr *)&any, sizeof any) != 0) {
        const int error = -errno;
        IGNORE(close(fd)); // nothing was written
        return error;
    }
    *out = (struct xdp_netlink){.fd = fd};
    return 0;
}

void xdp_netlink_close(struct xdp_netlink *netlink)
{
    if (netlink->fd >= 0) {
        // Nothing waits to be written.
        IGNORE(close(netlink->fd));
        netlink->fd = -1;
    }
}

int xdp_netlink_join(struct xdp_netlink *netlink, int group)
{
    return setsockopt(netlink->fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof group) == 0
               ? 0
               : -errno;
}

void xdp_netlink_set_room(struct xdp_netlink *netlink, int len)
{
    if (setsockopt(netlink->fd, SOL_SOCKET, SO_RCVBUFFORCE, &len, sizeof len) != 0) {
        // Less room is no error: what is lost is asked for again.
        IGNORE(setsockopt(netlink->fd, SOL_SOCKET, SO_RCVBUF, &len, sizeof len));
    }
}

void xdp_netlink_begin(struct xdp_netlink_question *question, uint16_t type, const void *head,
                       size_t len)
{
    const struct nlmsghdr header = {.nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST};

    assert(NLMSG_SPACE(len) <= sizeof(question->bytes));
    memset(question->bytes, 0, sizeof(question->bytes));
    memcpy(question->bytes, &header, sizeof header);
    memcpy(question->bytes + NLMSG_HDRLEN, head, len);
    question->len = NLMSG_SPACE(len);
}

void xdp_netlink_add(struct xdp_netlink_question *question, uint16_t type, const void *value,
                     size_t len)
{
    const struct rtattr attribute = {.rta_len = (uint16_t)RTA_LENGTH(len), .rta_type = type};

    assert(question->len + RTA_SPACE(len) <= sizeof(question->bytes));
    memcpy(question->bytes + question->len, &attribute, sizeof attribute);
    memcpy(question->bytes + question->len + RTA_LENGTH(0), value, len);
    question->len += RTA_SPACE(len);
}

// What an NLMSG_ERROR says.
static int error_of(const struct nlmsghdr *message)
{
    const struct nlmsgerr *error = xdp_netlink_head(message, sizeof(*error));

    return error == NULL || error->error == 0 ? -EBADMSG : error->error;
}

int xdp_netlink_ask(struct xdp_netlink *netlink, struct xdp_netlink_question *question,
                    struct xdp_netlink_datagram *datagram, const struct nlmsghdr **out)
{
    struct nlmsghdr *header = (struct nlmsghdr *)(void *)question->bytes;
    const struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};

    header->nlmsg_len = (uint32_t)question->len;
    header->nlmsg_seq = ++netlink->sequence;
    if (sendto(netlink->fd, question->bytes, question->len, 0, (const struct sockaddr *)&kernel,
               sizeof kernel) < 0) {
        return -errno;
    }
    // The kernel has answered before sendto() returns.
    for (int i = 0; i <= STALE_MAX; i++) {
        const int error = xdp_netlink_receive(netlink, datagram);
        if (error != 0) {
            return error;
        }
        const struct nlmsghdr *message = xdp_netlink_next(datagram, NULL);
        if (message == NULL || message->nlmsg_seq != netlink->sequence) {
            continue;
        }
        if (message->nlmsg_type == NLMSG_ERROR) {
            return error_of(message);
        }
        *out = message;
        return 0;
    }
    return -EAGAIN;
}

int xdp_netlink_receive(struct xdp_netlink *netlink, struct xdp_netlink_datagram *out)
{
    struct sockaddr_nl from = {0};
    socklen_t from_len = sizeof from;
    ssize_t len = 0;

    do {
        len = recvfrom(netlink->fd, out->bytes, sizeof(out->bytes), MSG_TRUNC,
                       (struct sockaddr *)&from, &from_len);
        // Only the kernel may tell us about routes; other processes can write to us, too.
    } while (len >= 0 && from.nl_pid != 0);
    if (len < 0) {
        return -errno;
    }
    if ((size_t)len > sizeof(out->bytes)) {
        return -ENOBUFS; // it was cut
    }
    out->len = (size_t)len;
    return 0;
}

const struct nlmsghdr *xdp_netlink_next(const struct xdp_netlink_datagram *datagram,
                                        const struct nlmsghdr *message)
{
    size_t at = 0;

    if (message != NULL) {
        at = (size_t)((const uint8_t *)message - datagram->bytes) + NLMSG_ALIGN(message->nlmsg_len);
    }
    if (at >= datagram->len || datagram->len - at < sizeof(*message)) {
        return NULL;
    }
    message = (const struct nlmsghdr *)(const void *)(datagram->bytes + at);
    const bool is_whole =
        message->nlmsg_len >= sizeof(*message) && message->nlmsg_len <= datagram->len - at;
    return is_whole ? message : NULL;
}

const void *xdp_netlink_head(const struct nlmsghdr *message, size_t len)
{
    return message->nlmsg_len >= NLMSG_LENGTH(len) ? NLMSG_DATA(message) : NULL;
}

struct bytes xdp_netlink_within(struct bytes nest, uint16_t type)
{
    while (nest.len >= sizeof(struct rtattr)) {
        struct rtattr attribute;
        memcpy(&attribute, nest.ptr, sizeof attribute);
        if (attribute.rta_len < sizeof attribute || attribute.rta_len > nest.len) {
            break;
        }
        if ((attribute.rta_type & NLA_TYPE_MASK) == type) {
            return bytes_from(bytes_first(nest, attribute.rta_len), RTA_LENGTH(0));
        }
        nest = bytes_from(nest, RTA_ALIGN(attribute.rta_len));
    }
    return (struct bytes){0};
}

struct bytes xdp_netlink_find(const struct nlmsghdr *message, size_t head_len, uint16_t type)
{
    const struct bytes whole = {(const uint8_t *)message, message->nlmsg_len};

    return xdp_netlink_within(bytes_from(whole, NLMSG_SPACE(head_len)), type);
}

uint32_t xdp_netlink_u32(struct bytes value)
{
    uint32_t number = 0;

    if (value.len == sizeof number) {
        memcpy(&number, value.ptr, sizeof number);
    }
    return number;
}

uint8_t xdp_netlink_family(const struct addr *addr)
{
    assert(addr->family != ADDR_NONE);
    return addr->family == ADDR_IP6 ? AF_INET6 : AF_INET;
}

bool xdp_netlink_ip(struct bytes value, uint8_t family, struct addr *out)
{
    if (family == AF_INET && value.len == ADDR_IP4_LEN) {
        *out = addr_ip4(value.ptr, 0);
        return true;
    }
    if (family == AF_INET6 && value.len == ADDR_IP6_LEN) {
        *out = addr_ip6(value.ptr, 0);
        return true;
    }
    return false;
}
