// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_reach.h"

#include <stdio.h>

#include "io/io_route.h"

void tunnel_reach_host(const struct tunnel_config *config, char out[TUNNEL_REACH_MAX])
{
    struct addr own;

    if (!config->is_host_given &&
        (io_route_source(ADDR_IP4, &own) == 0 || io_route_source(ADDR_IP6, &own) == 0)) {
        struct wr wr = wr_init((uint8_t *)out, TUNNEL_REACH_MAX - 1);

        addr_ip_write(&wr, &own);
        out[wr_done(&wr).len] = '\0';
        return;
    }
    snprintf(out, TUNNEL_REACH_MAX, "%.*s", (int)config->core.host.len,
             (const char *)config->core.host.ptr);
}
