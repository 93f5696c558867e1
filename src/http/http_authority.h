// SPDX-License-Identifier: Apache-2.0
// The host and the port of a URL or of a Host field (RFC 3986 section 3.2), without a user:
// "name", "name:port", "192.0.2.1:port", "[2001:db8::1]:port".
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

struct http_authority {
    struct bytes host; // a name, or an address without brackets; borrowed
    bool is_ip6;       // the host is an address of IPv6
    uint16_t port;     // 0: none is given
};

// False, with *out untouched, for an empty host, one with other characters than letters, digits,
// "-", "." and "_", brackets around what is no address of IPv6, and a port that is not from 1 to
// 65535.
MUST_USE bool http_authority_read(struct bytes text, struct http_authority *out);
