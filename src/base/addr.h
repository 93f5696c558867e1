// SPDX-License-Identifier: Apache-2.0
// A transport address: family, IP address and port, comparable by content.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum addr_family {
    ADDR_NONE = 0, // the zero value: no address
    ADDR_IP4 = 4,
    ADDR_IP6 = 6,
};

enum {
    ADDR_IP4_LEN = 4,   // bytes
    ADDR_IP6_LEN = 16,  // bytes
    ADDR_TEXT_MAX = 54, // bytes of "[ip6]:port", an IPv4-mapped tail included, without terminator
};

// No padding, and all that the family does not use is zero: two are equal when their bytes are.
struct addr {
    uint8_t ip[ADDR_IP6_LEN]; // network order; an IPv4 address fills the first four bytes
    uint16_t port;            // host order
    uint8_t family;           // enum addr_family
    uint8_t zero;
};
_Static_assert(sizeof(struct addr) == 20, "addr has no padding, so that it can be hashed whole");

struct addr addr_ip4(const uint8_t ip[ADDR_IP4_LEN], uint16_t port);
struct addr addr_ip6(const uint8_t ip[ADDR_IP6_LEN], uint16_t port);

bool addr_equal(const struct addr *a, const struct addr *b);
// Same family and IP address, whatever the ports.
bool addr_same_ip(const struct addr *a, const struct addr *b);
struct addr addr_with_port(struct addr addr, uint16_t port);
// The IP address as a span of 4 or 16 bytes (0 for ADDR_NONE); borrows from `addr`.
struct bytes addr_ip(const struct addr *addr);
// The IPv4 address that an IPv4-mapped one holds (RFC 4291 section 2.5.5.2), or else itself.
struct addr addr_unmapped(const struct addr *addr);
// The address is 0.0.0.0 or ::.
bool addr_is_unspecified(const struct addr *addr);
// The address is in 127.0.0.0/8 or is ::1.
bool addr_is_loopback(const struct addr *addr);
// The address is in 169.254.0.0/16 or fe80::/10: it says nothing beyond one cable.
bool addr_is_link_local(const struct addr *addr);

// Reads "192.0.2.1" or "2001:db8::1" (RFC 4291 section 2.2, no zone, no brackets), port 0.
// False, with *out untouched, when the text is anything else.
MUST_USE bool addr_read(struct bytes text, struct addr *out);

// Reads "192.0.2.1:3478" or "[2001:db8::1]:3478", whose port is from 0 to 65535; as addr_read()
// else.
MUST_USE bool addr_read_with_port(struct bytes text, struct addr *out);

// Writes the IP address alone, IPv6 as RFC 5952 has it; "none" for ADDR_NONE.
void addr_ip_write(struct wr *wr, const struct addr *addr);
// Writes "192.0.2.1:3478" or "[2001:db8::1]:3478".
void addr_write(struct wr *wr, const struct addr *addr);
