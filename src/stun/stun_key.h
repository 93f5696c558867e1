// SPDX-License-Identifier: Apache-2.0
// The key of the long-term credential mechanism (RFC 8489 section 9.2.2).
#pragma once

#include "base/bytes.h"
#include "crypto/crypto_digest.h"

enum { STUN_KEY_LEN = CRYPTO_MD5_LEN }; // bytes

// MD5("username:realm:password"). The three come prepared: no OpaqueString profile is applied.
void stun_key_long_term(struct bytes username, struct bytes realm, struct bytes password,
                        uint8_t out[STUN_KEY_LEN]);
