// SPDX-License-Identifier: Apache-2.0
#include "tunnel/tunnel_listen.h"

#include <errno.h>

#include "log/log.h"

int tunnel_listen(struct io_accept *accept, struct io_accept_at *at, struct addr addr,
                  const struct io_tcp_options *options, struct addr *bound)
{
    static const uint8_t all_ip4[ADDR_IP4_LEN];
    int error = io_accept_listen(accept, at, &addr, options, bound);

    if (error == -EAFNOSUPPORT && addr_is_unspecified(&addr)) {
        addr = addr_ip4(all_ip4, addr.port); // which are all of a host without IPv6
        error = io_accept_listen(accept, at, &addr, options, bound);
    }
    if (error != 0) {
        LOG_ERROR("cannot listen", LOG_ADDR("address", &addr), LOG_ERROR_NUMBER("error", error));
    }
    return error;
}
