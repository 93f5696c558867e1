// SPDX-License-Identifier: Apache-2.0
// MESSAGE-INTEGRITY: an HMAC-SHA1 over the message before it (RFC 8489 section 14.5).
#pragma once

#include "base/bytes.h"
#include "crypto/crypto_digest.h"

enum { STUN_INTEGRITY_LEN = CRYPTO_SHA1_LEN }; // bytes of the value

// The value for `head`, all bytes of the message before the attribute (at least a header). The
// length field counts as if the message ended with the attribute, whatever stands there.
void stun_integrity(struct bytes head, struct bytes key, uint8_t out[STUN_INTEGRITY_LEN]);
