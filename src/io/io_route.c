// SPDX-License-Identifier: Apache-2.0
#include "io/io_route.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

#include "io/io_fd.h"
#include "io/io_sockaddr.h"

enum { PREFER_SRC_PUBLIC = 2 }; // IPV6_PREFER_SRC_PUBLIC of <linux/in6.h>, which glibc leaves out

// Addresses in the public internet that no host has in a subnet of its own, unlike those that are
// set aside for documentation. Connecting a UDP socket to them sends nothing.
static struct addr target_of(enum addr_family family)
{
    static const uint8_t ip4[ADDR_IP4_LEN] = {1, 1, 1, 1};
    static const uint8_t ip6[ADDR_IP6_LEN] = {0x26, 0x06, 0x47, 0x00, 0x47, [15] = 0x11};
    enum { PORT = 3478 };

    return family == ADDR_IP6 ? addr_ip6(ip6, PORT) : addr_ip4(ip4, PORT);
}

// `is_lasting`: of several, not a temporary one.
static int find(const struct addr *target, bool is_lasting, struct addr *out)
{
    struct sockaddr_storage name;
    struct addr source = {.family = ADDR_NONE};

    assert(target->family != ADDR_NONE);
    const bool is_ip6 = target->family == ADDR_IP6;
    IO_FD_AUTO int fd = socket(is_ip6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, IPPROTO_UDP);
    if (fd < 0) {
        return -errno;
    }
    if (is_ip6 && is_lasting) {
        const int preference = PREFER_SRC_PUBLIC;
        // A kernel that cannot choose (RFC 5014 is an option) still has a source.
        IGNORE(setsockopt(fd, IPPROTO_IPV6, IPV6_ADDR_PREFERENCES, &preference, sizeof preference));
    }
    socklen_t len = io_sockaddr_write(target, 0, &name);
    if (connect(fd, (struct sockaddr *)&name, len) != 0) {
        return -errno;
    }
    len = sizeof(name);
    if (getsockname(fd, (struct sockaddr *)&name, &len) != 0) {
        return -errno;
    }
    if (!io_sockaddr_read(&name, len, &source, NULL) || addr_is_unspecified(&source) ||
        addr_is_link_local(&source)) {
        return -EADDRNOTAVAIL;
    }
    *out = addr_with_port(source, 0);
    return 0;
}

int io_route_source(enum addr_family family, struct addr *out)
{
    const struct addr target = target_of(family);

    return find(&target, true, out);
}

int io_route_source_to(const struct addr *target, struct addr *out)
{
    return find(target, false, out);
}
