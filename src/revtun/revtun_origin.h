// SPDX-License-Identifier: Apache-2.0
// Where a connection comes from, as far as that tells one host from another: an IPv4 address, or
// the /64 of an IPv6 one, in which a host has many and changes them by the day (RFC 8981).
#pragma once

#include "base/addr.h"

// Two addresses are of one origin when these are equal. An IPv4-mapped address is an IPv4 one; what
// is not compared is zero, the port too.
struct addr revtun_origin_of(const struct addr *addr);
