// SPDX-License-Identifier: Apache-2.0
#include "sim/revtun/hub/seals.h"

#include <string.h>

#include "crypto/crypto_digest.h"
#include "crypto/crypto_hmac.h"

enum { SECRET_LEN = 18, HEAD_LEN = 6 };

static void key_of(const char *id, uint32_t secret, uint8_t out[SEALS_LEN])
{
    const uint8_t bytes[SECRET_LEN] = {(uint8_t)(secret + 1), 0xee};
    const struct bytes spans[] = {bytes_of_text("tlsrelay/2 "), bytes_of_text(id)};

    crypto_hmac_sha256((struct bytes){bytes, sizeof bytes}, spans, 2, out);
}

void seals_verifier(const char *id, uint32_t secret, uint8_t out[SEALS_LEN])
{
    uint8_t key[SEALS_LEN];
    const struct bytes span = {key, sizeof key};

    key_of(id, secret, key);
    crypto_digest_sha256(&span, 1, out);
}

void seals_proof(const char *id, uint32_t secret, const uint8_t exported[SEALS_EXPORT_LEN],
                 uint8_t out[SEALS_LEN])
{
    uint8_t key[SEALS_LEN];
    uint8_t verifier[SEALS_LEN];
    const struct bytes span = {exported, 32};

    key_of(id, secret, key);
    seals_verifier(id, secret, verifier);
    crypto_hmac_sha256((struct bytes){verifier, sizeof verifier}, &span, 1, out);
    for (size_t i = 0; i < SEALS_LEN; i++) {
        out[i] ^= key[i];
    }
}

void seals_preface(uint8_t type, const uint8_t sid[SEALS_SID_LEN], uint64_t id,
                   const uint8_t exported[SEALS_EXPORT_LEN], uint8_t out[SEALS_PREFACE_LEN])
{
    const struct bytes span = {out, 32};

    memset(out, 0, SEALS_PREFACE_LEN);
    memcpy(out, "TRD2", 4);
    out[4] = type;
    memcpy(out + 8, sid, SEALS_SID_LEN);
    for (size_t i = 0; i < 8; i++) {
        out[24 + i] = (uint8_t)(id >> (56 - 8 * i));
    }
    crypto_hmac_sha256((struct bytes){exported + 32, 32}, &span, 1, out + 32);
}

bool seals_head(struct bytes head, const uint8_t preface[SEALS_PREFACE_LEN],
                const uint8_t exported[SEALS_EXPORT_LEN], struct bytes *line)
{
    uint8_t mac[SEALS_LEN];

    if (head.len < HEAD_LEN + SEALS_LEN || memcmp(head.ptr, "TRS2", 4) != 0) {
        return false;
    }
    const size_t len = (size_t)head.ptr[4] << 8 | head.ptr[5];
    const struct bytes spans[] = {{preface, 32}, {head.ptr, HEAD_LEN + len}};
    if (head.len != HEAD_LEN + len + SEALS_LEN) {
        return false;
    }
    crypto_hmac_sha256((struct bytes){exported + 64, 32}, spans, 2, mac);
    *line = (struct bytes){head.ptr + HEAD_LEN, len};
    return memcmp(head.ptr + HEAD_LEN + len, mac, sizeof mac) == 0;
}
