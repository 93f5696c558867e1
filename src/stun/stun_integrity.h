// SPDX-License-Identifier: Apache-2.0
// MESSAGE-INTEGRITY and MESSAGE-INTEGRITY-SHA256: HMACs over the message before them (RFC 8489
// sections 14.5 and 14.6).
#pragma once

#include "base/bytes.h"
#include "crypto/crypto_digest.h"

enum {
    STUN_INTEGRITY_LEN = CRYPTO_SHA1_LEN,          // bytes of the value
    STUN_INTEGRITY_SHA256_LEN = CRYPTO_SHA256_LEN, // likewise, not truncated
};

// The values for `head`, all bytes of the message before the attribute (at least a header). The
// length field counts as if the message ended with the attribute, whatever stands there.
void stun_integrity(struct bytes head, struct bytes key, uint8_t out[STUN_INTEGRITY_LEN]);
void stun_integrity_sha256(struct bytes head, struct bytes key,
                           uint8_t out[STUN_INTEGRITY_SHA256_LEN]);
