// SPDX-License-Identifier: Apache-2.0
// USERHASH: a username that does not tell itself to whoever reads along (RFC 8489 section 14.4).
#pragma once

#include "base/bytes.h"
#include "crypto/crypto_digest.h"

enum { STUN_USERHASH_LEN = CRYPTO_SHA256_LEN }; // bytes

// SHA-256("username:realm").
void stun_userhash(struct bytes username, struct bytes realm, uint8_t out[STUN_USERHASH_LEN]);
