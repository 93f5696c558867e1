// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_reach.h"

#include <stdio.h>

#include "io/io_host.h"
#include "io/io_route.h"

enum { OWN_MAX = 64 }; // addresses of this host that are looked at

// Whether it listens at addresses of a family.
static bool has_family(const struct tunnel_config *config, enum addr_family family)
{
    return config->bind_addr.family == family || config->bind_addr.family == ADDR_IP6;
}

// A host without a default route may still have neighbours.
static bool find_neighbour(const struct tunnel_config *config, struct addr *out)
{
    struct addr addrs[OWN_MAX];
    size_t count = 0;

    IGNORE(io_host_list(addrs, COUNT_OF(addrs), &count)); // those that fit will do
    for (size_t i = 0; i < count; i++) {
        if (has_family(config, addrs[i].family) && !addr_is_loopback(&addrs[i]) &&
            !addr_is_link_local(&addrs[i])) {
            *out = addrs[i];
            return true;
        }
    }
    return false;
}

static bool find(const struct tunnel_config *config, struct addr *out)
{
    static const enum addr_family families[] = {ADDR_IP4, ADDR_IP6};

    if (!addr_is_unspecified(&config->bind_addr)) {
        *out = config->bind_addr;
        return true;
    }
    for (size_t i = 0; i < COUNT_OF(families); i++) {
        if (has_family(config, families[i]) && io_route_source(families[i], out) == 0) {
            return true;
        }
    }
    return find_neighbour(config, out);
}

bool tunnel_reach_host(const struct tunnel_config *config, char out[TUNNEL_REACH_MAX])
{
    struct addr own;

    if (!config->is_host_given && find(config, &own)) {
        struct wr wr = wr_init((uint8_t *)out, TUNNEL_REACH_MAX - 1);

        addr_ip_write(&wr, &own);
        out[wr_done(&wr).len] = '\0';
        return !addr_is_loopback(&own);
    }
    snprintf(out, TUNNEL_REACH_MAX, "%.*s", (int)config->core.host.len,
             (const char *)config->core.host.ptr);
    return config->is_host_given;
}
