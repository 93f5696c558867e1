// SPDX-License-Identifier: Apache-2.0
// An address prefix in CIDR notation, such as 10.0.0.0/8 or 2001:db8::/32.
#pragma once

#include "base/addr.h"
#include "base/bytes.h"

struct cidr {
    struct addr base;   // first address of the prefix, port 0
    uint8_t prefix_len; // bits
};

enum cidr_outcome {
    CIDR_OK,
    CIDR_NO_ADDRESS, // what stands before the slash is no IP address
    CIDR_BAD_LENGTH, // what stands behind the slash is no number from 0 to 32 (128), or padded
    CIDR_HOST_BITS,  // bits are set behind the prefix: 10.0.0.1/8
};

// Reads "ADDRESS/LENGTH", or "ADDRESS" alone for one host. *out is untouched unless CIDR_OK.
MUST_USE enum cidr_outcome cidr_read(struct bytes text, struct cidr *out);

void cidr_write(struct wr *wr, const struct cidr *cidr);

// Same family and inside the prefix; ports do not matter.
bool cidr_contains(const struct cidr *cidr, const struct addr *addr);
