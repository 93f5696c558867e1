// SPDX-License-Identifier: Apache-2.0
// The keys of the long-term credential mechanism (RFC 8489 sections 9.2.2 and 18.5.1).
#pragma once

#include "base/bytes.h"
#include "crypto/crypto_digest.h"

enum {
    STUN_KEY_LEN = CRYPTO_MD5_LEN,           // bytes
    STUN_KEY_SHA256_LEN = CRYPTO_SHA256_LEN, // bytes
};

// MD5("username:realm:password"). The three come prepared: no OpaqueString profile is applied.
void stun_key_long_term(struct bytes username, struct bytes realm, struct bytes password,
                        uint8_t out[STUN_KEY_LEN]);
// SHA-256 of the same, for PASSWORD-ALGORITHM SHA-256.
void stun_key_long_term_sha256(struct bytes username, struct bytes realm, struct bytes password,
                               uint8_t out[STUN_KEY_SHA256_LEN]);
