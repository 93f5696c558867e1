// SPDX-License-Identifier: Apache-2.0
#include "stun/stun_key.h"

void stun_key_long_term(struct bytes username, struct bytes realm, struct bytes password,
                        uint8_t out[STUN_KEY_LEN])
{
    const struct bytes colon = BYTES_LITERAL(":");
    const struct bytes spans[] = {username, colon, realm, colon, password};

    crypto_digest_md5(spans, COUNT_OF(spans), out);
}

void stun_key_long_term_sha256(struct bytes username, struct bytes realm, struct bytes password,
                               uint8_t out[STUN_KEY_SHA256_LEN])
{
    const struct bytes colon = BYTES_LITERAL(":");
    const struct bytes spans[] = {username, colon, realm, colon, password};

    crypto_digest_sha256(spans, COUNT_OF(spans), out);
}
