// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_digest.h"

#include <nettle/md5.h>
#include <nettle/sha2.h>

#include "crypto/crypto_wipe.h"

_Static_assert(CRYPTO_MD5_LEN == MD5_DIGEST_SIZE, "as nettle has it");
_Static_assert(CRYPTO_SHA256_LEN == SHA256_DIGEST_SIZE, "as nettle has it");

void crypto_digest_md5(const struct bytes *spans, size_t count, uint8_t out[CRYPTO_MD5_LEN])
{
    struct md5_ctx context;

    md5_init(&context);
    for (size_t i = 0; i < count; i++) {
        md5_update(&context, spans[i].len, spans[i].ptr);
    }
    md5_digest(&context, CRYPTO_MD5_LEN, out);
    crypto_wipe(&context, sizeof context); // its block holds the end of what may be a password
}

void crypto_digest_sha256(const struct bytes *spans, size_t count, uint8_t out[CRYPTO_SHA256_LEN])
{
    struct sha256_ctx context;

    sha256_init(&context);
    for (size_t i = 0; i < count; i++) {
        sha256_update(&context, spans[i].len, spans[i].ptr);
    }
    sha256_digest(&context, CRYPTO_SHA256_LEN, out);
    crypto_wipe(&context, sizeof context); // its block holds the end of what may be a password
}
