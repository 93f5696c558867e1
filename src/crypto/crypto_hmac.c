// SPDX-License-Identifier: Apache-2.0
#include "crypto/crypto_hmac.h"

#include <nettle/hmac.h>

#include "crypto/crypto_wipe.h"

_Static_assert(CRYPTO_SHA1_LEN == SHA1_DIGEST_SIZE, "as nettle has it");

void crypto_hmac_sha1(struct bytes key, const struct bytes *spans, size_t count,
                      uint8_t out[CRYPTO_SHA1_LEN])
{
    struct hmac_sha1_ctx context;

    hmac_sha1_set_key(&context, key.len, key.ptr);
    for (size_t i = 0; i < count; i++) {
        hmac_sha1_update(&context, spans[i].len, spans[i].ptr);
    }
    hmac_sha1_digest(&context, CRYPTO_SHA1_LEN, out);
    crypto_wipe(&context, sizeof context);
}

void crypto_hmac_sha256(struct bytes key, const struct bytes *spans, size_t count,
                        uint8_t out[CRYPTO_SHA256_LEN])
{
    struct hmac_sha256_ctx context;

    hmac_sha256_set_key(&context, key.len, key.ptr);
    for (size_t i = 0; i < count; i++) {
        hmac_sha256_update(&context, spans[i].len, spans[i].ptr);
    }
    hmac_sha256_digest(&context, CRYPTO_SHA256_LEN, out);
    crypto_wipe(&context, sizeof context);
}
