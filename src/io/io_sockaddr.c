// SPDX-License-Identifier: Apache-2.0
#include "io/io_sockaddr.h"

#include <netinet/in.h>
#include <string.h>

// The system's own structs go by memcpy into and out of the storage, never by a cast.

socklen_t io_sockaddr_write(const struct addr *addr, uint32_t scope, struct sockaddr_storage *out)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(addr->port)};
    struct sockaddr_in6 in6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(addr->port), .sin6_scope_id = scope};

    switch ((enum addr_family)addr->family) {
    case ADDR_NONE:
        break;
    case ADDR_IP4:
        memcpy(&in.sin_addr, addr->ip, ADDR_IP4_LEN);
        memcpy(out, &in, sizeof(in));
        return sizeof(in);
    case ADDR_IP6:
        memcpy(&in6.sin6_addr, addr->ip, ADDR_IP6_LEN);
        memcpy(out, &in6, sizeof(in6));
        return sizeof(in6);
    }
    return 0;
}

bool io_sockaddr_read(const struct sockaddr_storage *from, socklen_t len, struct addr *out,
                      uint32_t *scope)
{
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    uint8_t ip[ADDR_IP6_LEN];
    uint32_t found_scope = 0;

    if (len >= sizeof(in) && from->ss_family == AF_INET) {
        memcpy(&in, from, sizeof(in));
        memcpy(ip, &in.sin_addr, ADDR_IP4_LEN);
        *out = addr_ip4(ip, ntohs(in.sin_port));
    } else if (len >= sizeof(in6) && from->ss_family == AF_INET6) {
        memcpy(&in6, from, sizeof(in6));
        memcpy(ip, &in6.sin6_addr, ADDR_IP6_LEN);
        *out = addr_ip6(ip, ntohs(in6.sin6_port));
        found_scope = in6.sin6_scope_id;
    } else {
        return false;
    }
    if (scope != NULL) {
        *scope = found_scope;
    }
    return true;
}
