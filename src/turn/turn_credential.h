// SPDX-License-Identifier: Apache-2.0
// Who may use the relay, and the keys that prove it (RFC 8489 section 9.2). Three kinds:
//
//   a user          name and password of the configuration; also found by USERHASH
//   TURN REST       username "EXPIRY:ANYTHING" (Unix seconds), password
//                   base64(HMAC-SHA1(secret, username)), under any of several secrets
//   Firezone        username "EXPIRY:SALT", password
//                   base64-without-padding(SHA-256("EXPIRY:stamp secret:SALT")), one secret
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/now.h"
#include "base/siphash.h"
#include "base/table.h"
#include "stun/stun_userhash.h"
#include "turn/turn_config.h"
#include "turn/turn_key.h"
#include "turn/turn_manner.h"

struct turn_credential_user {
    uint32_t name_at; // offset in `names`
    uint32_t name_len;
    uint8_t hash[STUN_USERHASH_LEN];
    struct turn_key_pair keys;
};

struct turn_credential_secret {
    uint8_t len;
    uint8_t bytes[TURN_CONFIG_SECRET_MAX];
};

struct turn_credential {
    struct siphash_key hash_key;
    struct bytes realm; // borrowed from the policy
    struct table by_name;
    struct table by_hash;
    struct turn_credential_user *users;
    uint32_t user_count;
    uint8_t *names; // all names, one behind the other
    struct turn_credential_secret secrets[TURN_CONFIG_SECRET_COUNT];
    uint32_t secret_count;
    struct turn_credential_secret stamp; // len 0: Firezone's manner is not served
};

// What a request says of its user.
struct turn_credential_claim {
    enum turn_manner_kind manner;
    struct bytes username; // USERNAME; empty when `hash` is given
    struct bytes hash;     // USERHASH, or empty
    enum stun_password_algorithm algorithm;
};

enum turn_credential_kind {
    TURN_CREDENTIAL_NONE, // there is no such user
    TURN_CREDENTIAL_USER,
    TURN_CREDENTIAL_REST,
    TURN_CREDENTIAL_FIREZONE,
};

// What can be said of a claim.
struct turn_credential_match {
    enum turn_credential_kind kind;
    struct bytes username; // borrowed from the claim or from the credentials, if there is a user
    struct bytes identity; // part of it: who that is, whichever credential of theirs this may be
    bool is_expired;       // its date is over; the keys are there all the same
    uint32_t key_count;    // keys of which one may be right; 0 of TURN_CREDENTIAL_NONE only
    struct turn_key keys[TURN_CONFIG_SECRET_COUNT];
};

size_t turn_credential_size(const struct turn_config *config);
// `memory` is zeroed and aligned for uint64_t. Of the configuration only `realm`, which is the
// policy's own copy, is kept.
void turn_credential_init(struct turn_credential *credential, void *memory,
                          const struct siphash_key *hash_key, const struct turn_config *config,
                          struct bytes realm);
// Wipe the match after use.
void turn_credential_find(const struct turn_credential *credential, struct now now,
                          const struct turn_credential_claim *claim,
                          struct turn_credential_match *out);

// Every credential is a user of the configuration, so that usernames may be hidden by USERHASH.
bool turn_credential_has_anonymity(const struct turn_credential *credential);

// The passwords of the two kinds with an expiry; also for the program that hands them out.
enum {
    TURN_CREDENTIAL_REST_LEN = 28,     // characters
    TURN_CREDENTIAL_FIREZONE_LEN = 43, // characters
};
void turn_credential_rest_password(struct bytes secret, struct bytes username,
                                   uint8_t out[TURN_CREDENTIAL_REST_LEN]);
// False, with `out` untouched, when the username is not "EXPIRY:SALT" with exactly one colon.
MUST_USE bool turn_credential_firezone_password(struct bytes stamp, struct bytes username,
                                                uint8_t out[TURN_CREDENTIAL_FIREZONE_LEN]);
