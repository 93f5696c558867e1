// SPDX-License-Identifier: Apache-2.0
// Attributes: their types, and how the values of each are read and written (RFC 8489 section 14,
// RFC 8656 section 18).
//
// Each attribute is a type, the length of its value, the value, and padding to a multiple of 4
// bytes, whose content a reader ignores and this writer sets to zero.
#pragma once

#include "base/addr.h"
#include "base/bytes.h"
#include "stun/stun_header.h"

enum stun_attr_type {
    STUN_ATTR_MAPPED_ADDRESS = 0x0001,
    STUN_ATTR_USERNAME = 0x0006,
    STUN_ATTR_MESSAGE_INTEGRITY = 0x0008,
    STUN_ATTR_ERROR_CODE = 0x0009,
    STUN_ATTR_UNKNOWN_ATTRIBUTES = 0x000A,
    STUN_ATTR_CHANNEL_NUMBER = 0x000C,
    STUN_ATTR_LIFETIME = 0x000D,
    STUN_ATTR_XOR_PEER_ADDRESS = 0x0012,
    STUN_ATTR_DATA = 0x0013,
    STUN_ATTR_REALM = 0x0014,
    STUN_ATTR_NONCE = 0x0015,
    STUN_ATTR_XOR_RELAYED_ADDRESS = 0x0016,
    STUN_ATTR_REQUESTED_ADDRESS_FAMILY = 0x0017,
    STUN_ATTR_EVEN_PORT = 0x0018,
    STUN_ATTR_REQUESTED_TRANSPORT = 0x0019,
    STUN_ATTR_DONT_FRAGMENT = 0x001A,
    STUN_ATTR_MESSAGE_INTEGRITY_SHA256 = 0x001C,
    STUN_ATTR_PASSWORD_ALGORITHM = 0x001D,
    STUN_ATTR_USERHASH = 0x001E,
    STUN_ATTR_XOR_MAPPED_ADDRESS = 0x0020,
    STUN_ATTR_RESERVATION_TOKEN = 0x0022,
    STUN_ATTR_ADDITIONAL_ADDRESS_FAMILY = 0x8000,
    STUN_ATTR_ADDRESS_ERROR_CODE = 0x8001,
    STUN_ATTR_PASSWORD_ALGORITHMS = 0x8002,
    STUN_ATTR_ALTERNATE_DOMAIN = 0x8003,
    STUN_ATTR_ICMP = 0x8004,
    STUN_ATTR_SOFTWARE = 0x8022,
    STUN_ATTR_ALTERNATE_SERVER = 0x8023,
    STUN_ATTR_FINGERPRINT = 0x8028,
};

enum {
    STUN_ATTR_HEAD_LEN = 4,        // bytes of type and length
    STUN_ATTR_RESERVATION_LEN = 8, // bytes of RESERVATION-TOKEN
    STUN_ATTR_TRANSPORT_UDP = 17,  // protocol number in REQUESTED-TRANSPORT
    STUN_ATTR_FAMILY_IP4 = 0x01,   // REQUESTED-ADDRESS-FAMILY and address attributes
    STUN_ATTR_FAMILY_IP6 = 0x02,
    STUN_ATTR_EVEN_PORT_RESERVE = 0x80, // the R bit: reserve the next higher port
};

// Bytes that a value takes on the wire with its padding, without the attribute's head.
#define STUN_ATTR_PADDED(len) (((len) + 3) / 4 * 4)

// A type below 0x8000 must be understood by whoever reads it (RFC 8489 section 14).
bool stun_attr_is_required(uint16_t type);

struct stun_attr {
    uint16_t type;
    struct bytes value; // without padding
};

// The next attribute; false when the cursor fails, or its padding is cut off.
MUST_USE bool stun_attr_read(struct rd *rd, struct stun_attr *out);
void stun_attr_write(struct wr *wr, uint16_t type, struct bytes value);

// Values with the exact form of their type. *out is untouched when false.
MUST_USE bool stun_attr_u8_read(struct bytes value, uint8_t *out);   // 1 byte, or 4 with 3 ignored
MUST_USE bool stun_attr_u16_read(struct bytes value, uint16_t *out); // 4 bytes, the last 2 ignored
MUST_USE bool stun_attr_u32_read(struct bytes value, uint32_t *out); // 4 bytes
MUST_USE bool stun_attr_addr_read(struct bytes value, struct addr *out);
MUST_USE bool stun_attr_xor_addr_read(struct bytes value,
                                      const struct stun_transaction *transaction, struct addr *out);

// Whole attributes. Numbers shorter than 4 bytes are followed by zeros (RFFU), as RFC 8656 has it.
void stun_attr_u8_write(struct wr *wr, uint16_t type, uint8_t value);
void stun_attr_u16_write(struct wr *wr, uint16_t type, uint16_t value);
void stun_attr_u32_write(struct wr *wr, uint16_t type, uint32_t value);
void stun_attr_xor_addr_write(struct wr *wr, uint16_t type,
                              const struct stun_transaction *transaction, const struct addr *addr);
// MAPPED-ADDRESS and ALTERNATE-SERVER: the address as it is.
void stun_attr_addr_write(struct wr *wr, uint16_t type, const struct addr *addr);
