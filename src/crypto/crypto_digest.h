// SPDX-License-Identifier: Apache-2.0
// Message digests over a list of spans.
//
// The room crypto is a thin layer over nettle, the only one that may include its headers: all
// state lives in the caller's memory and no call can fail.
#pragma once

#include "base/bytes.h"

enum {
    CRYPTO_MD5_LEN = 16,    // bytes
    CRYPTO_SHA1_LEN = 20,   // bytes
    CRYPTO_SHA256_LEN = 32, // bytes
};

// Digests of the `count` spans, one behind the other. MD5 serves only the long-term key of RFC
// 8489 section 9.2.2.
void crypto_digest_md5(const struct bytes *spans, size_t count, uint8_t out[CRYPTO_MD5_LEN]);
void crypto_digest_sha256(const struct bytes *spans, size_t count, uint8_t out[CRYPTO_SHA256_LEN]);
