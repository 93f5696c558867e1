// SPDX-License-Identifier: Apache-2.0
// A STUN message as it stands in its datagram: checked once, then found by offsets, never copied.
//
// The room stun is the codec of RFC 8489 and of RFC 8656's attributes and ChannelData: it reads and
// writes bytes and proves integrity. It keeps no transaction, knows no server, and holds no memory.
// Start here to read a message, in stun_writer.h to write one.
#pragma once

#include "base/bytes.h"
#include "stun/stun_attr.h"
#include "stun/stun_header.h"

enum {
    STUN_MESSAGE_PLACE_COUNT = 0x60, // places for types: 0x0000 to 0x002F, 0x8000 to 0x802F
    STUN_MESSAGE_UNKNOWN_MAX = 8,    // unknown types that a view remembers; more are not reported
};

enum stun_message_outcome {
    STUN_MESSAGE_OK,
    STUN_MESSAGE_NOT_STUN,  // no STUN header, not one message that fills the datagram, or > 64 KiB
    STUN_MESSAGE_MALFORMED, // attributes overrun the message or each other
    STUN_MESSAGE_BAD_VALUE, // a known attribute has a length that its type cannot have
    STUN_MESSAGE_BAD_CHECKSUM, // FINGERPRINT is wrong: not STUN after all, or damaged
};

struct stun_message {
    struct bytes whole; // borrowed: the datagram
    struct stun_header header;
    uint16_t at[STUN_MESSAGE_PLACE_COUNT];      // offset of the first of each known type, or 0
    uint16_t unknown[STUN_MESSAGE_UNKNOWN_MAX]; // comprehension-required types that are not known
    uint8_t unknown_count;
};

// Reads the one message that fills `datagram`. On STUN_MESSAGE_BAD_VALUE and _MALFORMED *out has a
// valid header and no attributes, so that a request can be answered; otherwise, unless
// STUN_MESSAGE_OK, it is untouched.
//
// Of a repeated attribute the first one counts. Behind MESSAGE-INTEGRITY only
// MESSAGE-INTEGRITY-SHA256 and FINGERPRINT count, behind -SHA256 only FINGERPRINT, which must be
// last (RFC 8489 sections 14.5 to 14.7).
MUST_USE enum stun_message_outcome stun_message_read(struct bytes datagram,
                                                     struct stun_message *out);

bool stun_message_has(const struct stun_message *message, enum stun_attr_type type);

// The value of the first attribute of a known type. False, with *out untouched, if there is none.
MUST_USE bool stun_message_find(const struct stun_message *message, enum stun_attr_type type,
                                struct bytes *out);

// The next attribute of `type` at or behind *at (a number that begins as 0 and belongs to this
// call), for attributes that may be repeated, such as XOR-PEER-ADDRESS in CreatePermission.
MUST_USE bool stun_message_next(const struct stun_message *message, enum stun_attr_type type,
                                size_t *at, struct bytes *out);

// MESSAGE-INTEGRITY is there and right for `key`; compared in constant time.
MUST_USE bool stun_message_is_intact(const struct stun_message *message, struct bytes key);
// The same for MESSAGE-INTEGRITY-SHA256.
MUST_USE bool stun_message_is_intact_sha256(const struct stun_message *message, struct bytes key);
