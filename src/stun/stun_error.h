// SPDX-License-Identifier: Apache-2.0
// ERROR-CODE and UNKNOWN-ATTRIBUTES: what a server answers when it does not do what was asked
// (RFC 8489 sections 14.8 and 14.13, RFC 8656 section 19).
#pragma once

#include "base/bytes.h"

enum stun_error_code {
    STUN_ERROR_NONE = 0, // not on the wire: all is well
    STUN_ERROR_TRY_ALTERNATE = 300,
    STUN_ERROR_BAD_REQUEST = 400,
    STUN_ERROR_UNAUTHENTICATED = 401,
    STUN_ERROR_FORBIDDEN = 403,
    STUN_ERROR_UNKNOWN_ATTRIBUTE = 420,
    STUN_ERROR_ALLOCATION_MISMATCH = 437,
    STUN_ERROR_STALE_NONCE = 438,
    STUN_ERROR_FAMILY_NOT_SUPPORTED = 440,
    STUN_ERROR_WRONG_CREDENTIALS = 441,
    STUN_ERROR_UNSUPPORTED_TRANSPORT = 442,
    STUN_ERROR_PEER_FAMILY_MISMATCH = 443,
    STUN_ERROR_QUOTA_REACHED = 486,
    STUN_ERROR_INSUFFICIENT_CAPACITY = 508,
};

// The reason phrase, in the RFC's words where they are short.
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
