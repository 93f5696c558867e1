// SPDX-License-Identifier: Apache-2.0
// ERROR-CODE and UNKNOWN-ATTRIBUTES: what a server answers when it does not do what was asked
// (RFC 8489 sections 14.8 and 14.13, RFC 8656 section 19).
#pragma once

#include "base/bytes.h"

// X(NAME, code, reason phrase: in the RFC's words where they are short)
#define STUN_ERRORS(X)                                                                             \
    X(TRY_ALTERNATE, 300, "Try Alternate")                                                         \
    X(BAD_REQUEST, 400, "Bad Request")                                                             \
    X(UNAUTHENTICATED, 401, "Unauthenticated")                                                     \
    X(FORBIDDEN, 403, "Forbidden")                                                                 \
    X(UNKNOWN_ATTRIBUTE, 420, "Unknown Attribute")                                                 \
    X(ALLOCATION_MISMATCH, 437, "Allocation Mismatch")                                             \
    X(STALE_NONCE, 438, "Stale Nonce")                                                             \
    X(FAMILY_NOT_SUPPORTED, 440, "Address Family not Supported")                                   \
    X(WRONG_CREDENTIALS, 441, "Wrong Credentials")                                                 \
    X(UNSUPPORTED_TRANSPORT, 442, "Unsupported Transport Protocol")                                \
    X(PEER_FAMILY_MISMATCH, 443, "Peer Address Family Mismatch")                                   \
    X(QUOTA_REACHED, 486, "Allocation Quota Reached")                                              \
    X(INSUFFICIENT_CAPACITY, 508, "Insufficient Capacity")

enum stun_error_code {
    STUN_ERROR_NONE = 0, // not on the wire: all is well
#define STUN_ERROR_NUMBER(NAME, code, reason) STUN_ERROR_##NAME = (code),
    STUN_ERRORS(STUN_ERROR_NUMBER)
#undef STUN_ERROR_NUMBER
};

// The reason phrase; not of STUN_ERROR_NONE.
const char *stun_error_reason(enum stun_error_code code);

// Writes the whole ERROR-CODE attribute.
void stun_error_write(struct wr *wr, enum stun_error_code code);

// The same without a reason phrase.
void stun_error_bare_write(struct wr *wr, enum stun_error_code code);

// Writes the whole ADDRESS-ERROR-CODE attribute: why a family of addresses (STUN_ATTR_FAMILY_IP4 or
// _IP6) was not relayed beside the other (RFC 8656 section 18.12).
void stun_error_address_write(struct wr *wr, uint8_t family, enum stun_error_code code);
// Reads its value; false, with nothing written, when it is malformed, names neither family, or its
// code is not from 300 to 699.
MUST_USE bool stun_error_address_read(struct bytes value, uint8_t *family, uint16_t *code);

// Reads the value of ERROR-CODE; false when it is malformed or its code is not from 300 to 699.
MUST_USE bool stun_error_read(struct bytes value, uint16_t *code, struct bytes *reason);

// Writes the whole UNKNOWN-ATTRIBUTES attribute.
void stun_error_unknown_write(struct wr *wr, const uint16_t *types, size_t count);
