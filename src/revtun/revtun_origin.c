// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_origin.h"

#include <string.h>

enum { IP6_NETWORK_LEN = 8 }; // bytes of a /64

struct addr revtun_origin_of(const struct addr *addr)
{
    struct addr origin = addr_with_port(addr_unmapped(addr), 0);

    if (origin.family == ADDR_IP6) {
        memset(origin.ip + IP6_NETWORK_LEN, 0, ADDR_IP6_LEN - IP6_NETWORK_LEN);
    }
    return origin;
}
