// SPDX-License-Identifier: Apache-2.0
// HMAC (RFC 2104) over a list of spans, so that a message with one patched field needs no copy.
#pragma once

#include "base/bytes.h"
#include "crypto/crypto_digest.h"

void crypto_hmac_sha1(struct bytes key, const struct bytes *spans, size_t count,
                      uint8_t out[CRYPTO_SHA1_LEN]);
void crypto_hmac_sha256(struct bytes key, const struct bytes *spans, size_t count,
                        uint8_t out[CRYPTO_SHA256_LEN]);
