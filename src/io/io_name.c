// SPDX-License-Identifier: Apache-2.0
#include "io/io_name.h"

#include <assert.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include "io/io_sockaddr.h"

static int system_family(enum addr_family family)
{
    switch (family) {
    case ADDR_NONE:
        return AF_UNSPEC;
    case ADDR_IP4:
        return AF_INET;
    case ADDR_IP6:
        return AF_INET6;
    }
    return AF_UNSPEC;
}

int io_name_find(const char *name, enum addr_family family, struct addr *out, size_t capacity,
                 size_t *count)
{
    // One kind of socket, or each address would come once for each.
    const struct addrinfo hints = {.ai_family = system_family(family), .ai_socktype = SOCK_DGRAM};
    struct addrinfo *list = NULL;
    size_t found = 0;

    assert(capacity > 0);
    int error = getaddrinfo(name, NULL, &hints, &list);
    if (error != 0) {
        return error;
    }
    for (const struct addrinfo *one = list; one != NULL && found < capacity; one = one->ai_next) {
        struct sockaddr_storage storage = {0};
        if (one->ai_addrlen <= sizeof storage) {
            memcpy(&storage, one->ai_addr, one->ai_addrlen);
            found += io_sockaddr_read(&storage, one->ai_addrlen, &out[found], NULL);
        }
    }
    freeaddrinfo(list);
    if (found == 0) {
        return EAI_NONAME;
    }
    *count = found;
    return 0;
}

const char *io_name_why(int error)
{
    return gai_strerror(error);
}
