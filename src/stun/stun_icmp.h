// SPDX-License-Identifier: Apache-2.0
// ICMP: an error that a relayed packet met on its way (RFC 8656 section 18.13).
#pragma once

#include <stdint.h>

#include "base/bytes.h"

enum { STUN_ICMP_ATTR_LEN = 12 }; // bytes of the whole attribute

struct stun_icmp {
    uint8_t type;  // 7 bits, as ICMP or ICMPv6 has it
    uint16_t code; // 9 bits
    uint32_t data; // the MTU of "packet too big", else 0
};

// Reads the value. False, with *out untouched, when it has another length.
MUST_USE bool stun_icmp_read(struct bytes value, struct stun_icmp *out);
// Writes the whole attribute.
void stun_icmp_write(struct wr *wr, const struct stun_icmp *icmp);
