// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "io/io_host.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io_sockaddr.h"

// The address of one entry. False when it is of another kind (a link-layer address, or none).
static bool addr_of(const struct ifaddrs *entry, struct addr *out)
{
    struct sockaddr_storage storage = {0};
    size_t len = 0;

    if (entry->ifa_addr == NULL) {
        return false;
    }
    if (entry->ifa_addr->sa_family == AF_INET) {
        len = sizeof(struct sockaddr_in);
    } else if (entry->ifa_addr->sa_family == AF_INET6) {
        len = sizeof(struct sockaddr_in6);
    } else {
        return false;
    }
    memcpy(&storage, entry->ifa_addr, len);
    return io_sockaddr_read(&storage, (socklen_t)len, out, NULL);
}

_Static_assert(IO_HOST_LINK_LEN == IF_NAMESIZE, "as the system has it");

int io_host_link(const struct addr *addr, char out[IO_HOST_LINK_LEN])
{
    struct ifaddrs *list = NULL;
    int error = -ENOENT;

    if (getifaddrs(&list) != 0) {
        return -errno;
    }
    for (const struct ifaddrs *entry = list; entry != NULL && error != 0; entry = entry->ifa_next) {
        struct addr found = {0};
        if (addr_of(entry, &found) && addr_same_ip(&found, addr)) {
            snprintf(out, IO_HOST_LINK_LEN, "%s", entry->ifa_name);
            error = 0;
        }
    }
    freeifaddrs(list);
    return error;
}

int io_host_list(struct addr *out, size_t capacity, size_t *count)
{
    struct ifaddrs *list = NULL;
    int error = 0;

    *count = 0;
    if (getifaddrs(&list) != 0) {
        return -errno;
    }
    for (const struct ifaddrs *entry = list; entry != NULL; entry = entry->ifa_next) {
        struct addr addr = {0};
        if (!addr_of(entry, &addr)) {
            continue;
        }
        if (*count == capacity) {
            error = -ENOSPC;
            break;
        }
        out[(*count)++] = addr_with_port(addr, 0);
    }
    freeifaddrs(list);
    return error;
}
