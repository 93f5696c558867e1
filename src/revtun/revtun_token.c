// SPDX-License-Identifier: Apache-2.0
#include "revtun/revtun_token.h"

#include <assert.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/crypto_digest.h"
#include "crypto/crypto_equal.h"
#include "crypto/crypto_hmac.h"
#include "crypto/crypto_wipe.h"

enum {
    CHECK_LEN = 4, // bytes
    CHECK_AT = REVTUN_TOKEN_SECRET_LEN + REVTUN_TOKEN_PIN_LEN,
    DATA_LEN = CHECK_AT + CHECK_LEN,
    DATA_TEXT_LEN = BASE64_LEN(DATA_LEN),
};
_Static_assert(DATA_LEN % 3 == 0, "each token has one spelling, and no padding");
_Static_assert(REVTUN_TOKEN_TEXT_MAX == 5 + REVTUN_NAME_MAX + 1 + DATA_TEXT_LEN, "all fits");

static const struct bytes start = BYTES_LITERAL("flt1.");
static const struct bytes dot = BYTES_LITERAL(".");

// Base64's characters 62 and 63, in the alphabet of one and of the other.
static const char standard_pair[] = "+/";
static const char url_pair[] = "-_";

static void swap_pair(uint8_t text[DATA_TEXT_LEN], const char *from, const char *to)
{
    for (size_t i = 0; i < DATA_TEXT_LEN; i++) {
        for (size_t k = 0; k < 2; k++) {
            if (text[i] == (uint8_t)from[k]) {
                text[i] = (uint8_t)to[k];
                break;
            }
        }
    }
}

static void check_of(struct bytes id, const uint8_t data[DATA_LEN], uint8_t check[CHECK_LEN])
{
    const struct bytes spans[] = {start, id, dot, {data, CHECK_AT}};
    uint8_t digest[CRYPTO_SHA256_LEN];

    crypto_digest_sha256(spans, COUNT_OF(spans), digest);
    memcpy(check, digest, CHECK_LEN);
}

// Reads the part behind the name; false when it is damaged.
static bool data_read(struct bytes id, struct bytes text, uint8_t data[DATA_LEN])
{
    uint8_t standard[DATA_TEXT_LEN];
    uint8_t check[CHECK_LEN];

    if (text.len != sizeof standard || bytes_index(text, '+') < text.len ||
        bytes_index(text, '/') < text.len) {
        return false;
    }
    memcpy(standard, text.ptr, sizeof standard);
    swap_pair(standard, url_pair, standard_pair);
    const bool is_read = base64_read((struct bytes){standard, sizeof standard}, data, DATA_LEN);
    crypto_wipe(standard, sizeof standard);
    if (!is_read) {
        return false;
    }
    check_of(id, data, check);
    return memcmp(check, data + CHECK_AT, sizeof check) == 0;
}

enum revtun_token_outcome revtun_token_read(struct bytes text, struct revtun_token *out)
{
    uint8_t data[DATA_LEN];

    if (!bytes_equal(bytes_first(text, start.len), start)) {
        return REVTUN_TOKEN_NONE;
    }
    const struct bytes rest = bytes_from(text, start.len);
    const size_t id_len = bytes_index(rest, '.');
    const struct bytes id = bytes_first(rest, id_len);
    if (!revtun_pattern_is_name(id) || !data_read(id, bytes_from(rest, id_len + 1), data)) {
        crypto_wipe(data, sizeof data);
        return REVTUN_TOKEN_DAMAGED;
    }
    revtun_token_init(out, id, data, data + REVTUN_TOKEN_SECRET_LEN);
    crypto_wipe(data, sizeof data);
    return REVTUN_TOKEN_OK;
}

void revtun_token_write(struct wr *wr, const struct revtun_token *token)
{
    uint8_t data[DATA_LEN];
    uint8_t text[DATA_TEXT_LEN];
    struct wr data_wr = wr_init(data, sizeof data);
    struct wr text_wr = wr_init(text, sizeof text);

    wr_bytes(&data_wr, (struct bytes){token->secret, sizeof token->secret});
    wr_bytes(&data_wr, (struct bytes){token->pin, sizeof token->pin});
    assert(data_wr.len == CHECK_AT);
    check_of(revtun_token_id(token), data, data + CHECK_AT);
    base64_write(&text_wr, (struct bytes){data, sizeof data}, false);
    assert(text_wr.len == sizeof text);
    swap_pair(text, standard_pair, url_pair);
    wr_bytes(wr, start);
    wr_bytes(wr, revtun_token_id(token));
    wr_bytes(wr, dot);
    wr_bytes(wr, (struct bytes){text, sizeof text});
    crypto_wipe(data, sizeof data);
    crypto_wipe(text, sizeof text);
}

void revtun_token_init(struct revtun_token *token, struct bytes id,
                       const uint8_t secret[REVTUN_TOKEN_SECRET_LEN],
                       const uint8_t pin[REVTUN_TOKEN_PIN_LEN])
{
    assert(revtun_pattern_is_name(id));
    *token = (struct revtun_token){.id_len = (uint8_t)id.len};
    memcpy(token->id, id.ptr, id.len);
    memcpy(token->secret, secret, sizeof token->secret);
    memcpy(token->pin, pin, sizeof token->pin);
}

void revtun_token_deinit(struct revtun_token *token)
{
    crypto_wipe(token, sizeof *token);
}

struct bytes revtun_token_id(const struct revtun_token *token)
{
    return (struct bytes){token->id, token->id_len};
}

bool revtun_token_has_pin(const struct revtun_token *token)
{
    static const uint8_t none[REVTUN_TOKEN_PIN_LEN];
    return memcmp(token->pin, none, sizeof none) != 0;
}

static void key_of(const struct revtun_token *token, uint8_t key[CRYPTO_SHA256_LEN])
{
    const struct bytes spans[] = {BYTES_LITERAL("tlsrelay/2 "), revtun_token_id(token)};

    crypto_hmac_sha256((struct bytes){token->secret, sizeof token->secret}, spans, COUNT_OF(spans),
                       key);
}

static void verifier_of(const uint8_t key[CRYPTO_SHA256_LEN], uint8_t verifier[CRYPTO_SHA256_LEN])
{
    const struct bytes span = {key, CRYPTO_SHA256_LEN};

    crypto_digest_sha256(&span, 1, verifier);
}

// Puts what hides the key over it, or takes that off again.
static void turn_over(const uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN],
                      const struct revtun_secrets *secrets, const uint8_t from[CRYPTO_SHA256_LEN],
                      uint8_t to[CRYPTO_SHA256_LEN])
{
    const struct bytes exported = {secrets->proof, sizeof secrets->proof};
    uint8_t mask[CRYPTO_SHA256_LEN];

    crypto_hmac_sha256((struct bytes){verifier, REVTUN_TOKEN_VERIFIER_LEN}, &exported, 1, mask);
    for (size_t i = 0; i < sizeof mask; i++) {
        to[i] = from[i] ^ mask[i];
    }
    crypto_wipe(mask, sizeof mask);
}

void revtun_token_verifier(const struct revtun_token *token,
                           uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN])
{
    uint8_t key[CRYPTO_SHA256_LEN];

    key_of(token, key);
    verifier_of(key, verifier);
    crypto_wipe(key, sizeof key);
}

void revtun_token_proof(const struct revtun_token *token, const struct revtun_secrets *secrets,
                        uint8_t proof[REVTUN_MESSAGE_PROOF_LEN])
{
    uint8_t key[CRYPTO_SHA256_LEN];
    uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN];

    key_of(token, key);
    verifier_of(key, verifier);
    turn_over(verifier, secrets, key, proof);
    crypto_wipe(key, sizeof key);
}

bool revtun_token_is_proven(const uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN],
                            const struct revtun_secrets *secrets,
                            const uint8_t proof[REVTUN_MESSAGE_PROOF_LEN])
{
    uint8_t key[CRYPTO_SHA256_LEN];
    uint8_t found[REVTUN_TOKEN_VERIFIER_LEN];

    turn_over(verifier, secrets, proof, key);
    verifier_of(key, found);
    crypto_wipe(key, sizeof key);
    return crypto_equal((struct bytes){found, sizeof found},
                        (struct bytes){verifier, REVTUN_TOKEN_VERIFIER_LEN});
}
