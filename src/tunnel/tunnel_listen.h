// SPDX-License-Identifier: Apache-2.0
// Listening at an address of the operator's, and words about it in the log.
#pragma once

#include "io/io_accept.h"

// As io_accept_listen(); all addresses of a host without IPv6 are those of IPv4. 0, or -errno,
// which is logged.
MUST_USE int tunnel_listen(struct io_accept *accept, struct io_accept_at *at, struct addr addr,
                           const struct io_tcp_options *options, struct addr *bound);
