// SPDX-License-Identifier: Apache-2.0
// Tokens: what an agent needs to know of a relay, and to prove to it, in one word.
//
//   flt1.ID.DATA    ID is a name, DATA is 72 characters of base64url (RFC 4648 section 5) for
//
//    0  secret, 18 bytes of randomness
//   18  pin: SHA-256 of the relay's SubjectPublicKeyInfo (RFC 7469), 32 bytes; zeros mean that the
//       relay has a certificate by its host's name instead
//   50  the first 4 bytes of SHA-256 of "flt1.ID." and bytes 0 to 49, so that a slip is told
//
// As in SCRAM (RFC 5802), neither what the relay keeps nor what it hears lets others in:
//
//   key      = HMAC-SHA256(secret, "tlsrelay/2 " ID)
//   verifier = SHA-256(key)                                  the relay keeps this
//   proof    = key XOR HMAC-SHA256(verifier, exported)       the agent says this
//
// The relay takes the HMAC off again and looks whether the SHA-256 of that is the verifier. Who
// has stolen a verifier can compute no proof, a proof is worth nothing in another TLS session, and
// who ends TLS in between without the verifier learns nothing from it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "revtun/revtun_message.h"
#include "revtun/revtun_pattern.h"
#include "revtun/revtun_secrets.h"

enum {
    REVTUN_TOKEN_SECRET_LEN = 18,                         // bytes
    REVTUN_TOKEN_PIN_LEN = 32,                            // bytes
    REVTUN_TOKEN_VERIFIER_LEN = 32,                       // bytes
    REVTUN_TOKEN_TEXT_MAX = 5 + REVTUN_NAME_MAX + 1 + 72, // bytes
};

struct revtun_token {
    uint8_t id[REVTUN_NAME_MAX];
    uint8_t id_len; // bytes
    uint8_t secret[REVTUN_TOKEN_SECRET_LEN];
    uint8_t pin[REVTUN_TOKEN_PIN_LEN];
};

enum revtun_token_outcome {
    REVTUN_TOKEN_OK,
    REVTUN_TOKEN_NONE,    // it does not look like a token at all
    REVTUN_TOKEN_DAMAGED, // it does, and something of it is missing or wrong
};

// Reads the text of a token. *out is untouched unless REVTUN_TOKEN_OK.
MUST_USE enum revtun_token_outcome revtun_token_read(struct bytes text, struct revtun_token *out);

void revtun_token_write(struct wr *wr, const struct revtun_token *token);

// Makes a token of a name, and of randomness that the caller gives.
void revtun_token_init(struct revtun_token *token, struct bytes id,
                       const uint8_t secret[REVTUN_TOKEN_SECRET_LEN],
                       const uint8_t pin[REVTUN_TOKEN_PIN_LEN]);

// Forgets it.
void revtun_token_deinit(struct revtun_token *token);

// The token's name; borrowed from it.
struct bytes revtun_token_id(const struct revtun_token *token);
// It has a pin; else the relay has a certificate by its host's name.
bool revtun_token_has_pin(const struct revtun_token *token);

// What the relay keeps of it.
void revtun_token_verifier(const struct revtun_token *token,
                           uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN]);

// What the agent says on the connection that has these secrets.
void revtun_token_proof(const struct revtun_token *token, const struct revtun_secrets *secrets,
                        uint8_t proof[REVTUN_MESSAGE_PROOF_LEN]);

// Whether that was said by who has the token.
MUST_USE bool revtun_token_is_proven(const uint8_t verifier[REVTUN_TOKEN_VERIFIER_LEN],
                                     const struct revtun_secrets *secrets,
                                     const uint8_t proof[REVTUN_MESSAGE_PROOF_LEN]);
