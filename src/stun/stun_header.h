// SPDX-License-Identifier: Apache-2.0
// The 20 bytes with which every STUN message begins (RFC 8489 section 5).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum {
    STUN_HEADER_LEN = 20,      // bytes
    STUN_TRANSACTION_LEN = 12, // bytes
};

#define STUN_MAGIC_COOKIE UINT32_C(0x2112A442)

enum stun_class {
    STUN_REQUEST = 0,
    STUN_INDICATION = 1,
    STUN_SUCCESS = 2,
    STUN_ERROR = 3,
};

// Methods of RFC 8489 section 18.1 and RFC 8656 section 17. The wire may hold others.
enum stun_method {
    STUN_BINDING = 0x001,
    STUN_ALLOCATE = 0x003,
    STUN_REFRESH = 0x004,
    STUN_SEND = 0x006,
    STUN_DATA = 0x007,
    STUN_CREATE_PERMISSION = 0x008,
    STUN_CHANNEL_BIND = 0x009,
};

struct stun_transaction {
    uint8_t id[STUN_TRANSACTION_LEN];
};

struct stun_header {
    uint16_t method;   // 12 bits, any of them
    uint8_t class;     // enum stun_class
    uint16_t body_len; // bytes behind the header, a multiple of 4
    struct stun_transaction transaction;
};

// True when the first bytes look like STUN and not like ChannelData (RFC 8656 section 12.5): the
// two top bits are zero.
bool stun_header_is_likely(struct bytes datagram);

// Reads a header. False, with *out untouched, when it is cut short, the two top bits are not zero,
// the magic cookie is wrong, or the length is no multiple of 4.
MUST_USE bool stun_header_read(struct rd *rd, struct stun_header *out);
void stun_header_write(struct wr *wr, const struct stun_header *header);

// The name that the RFCs give a method, or NULL.
const char *stun_header_method_name(uint16_t method);
