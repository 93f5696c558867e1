// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_auth.h"

#include <assert.h>

#include "crypto/crypto_wipe.h"
#include "turn/turn_server_priv.h"

static bool is_firezone(const struct turn_server *server, const struct stun_message *message)
{
    struct bytes realm = {0};

    return server->policy->credential.stamp.len > 0 &&
           stun_message_find(message, STUN_ATTR_REALM, &realm) &&
           bytes_equal(realm, turn_manner_firezone_realm);
}

bool turn_auth_is_claim(const struct stun_message *message)
{
    return stun_message_has(message, STUN_ATTR_MESSAGE_INTEGRITY) ||
           stun_message_has(message, STUN_ATTR_MESSAGE_INTEGRITY_SHA256);
}

bool turn_auth_is_certain(struct turn_server *server, const struct turn_request *request)
{
    struct bytes nonce = {0};

    return turn_auth_is_claim(request->message) &&
           stun_message_find(request->message, STUN_ATTR_NONCE, &nonce) &&
           turn_nonce_is_good(&server->nonce, request->now, &request->to.tuple.client, nonce);
}

// The password algorithm. Our nonce says that we offer both; so a client that names one must bring
// back our offer as it was, which shows that nobody on the way has cut it down.
static bool algorithm_read(const struct stun_message *message,
                           enum stun_password_algorithm *algorithm)
{
    struct bytes chosen = {0};
    struct bytes offered = {0};
    bool has_chosen = stun_message_find(message, STUN_ATTR_PASSWORD_ALGORITHM, &chosen);
    bool has_offered = stun_message_find(message, STUN_ATTR_PASSWORD_ALGORITHMS, &offered);

    *algorithm = STUN_PASSWORD_MD5;
    if (!has_chosen && !has_offered) {
        return true; // a client of RFC 5389
    }
    return has_chosen && has_offered && stun_password_is_offer(offered) &&
           stun_password_read(chosen, algorithm);
}

// Who the request says it is from. Firezone's relay knows no USERHASH.
static bool user_read(const struct turn_request *request, struct turn_credential_claim *claim)
{
    if (stun_message_find(request->message, STUN_ATTR_USERNAME, &claim->username)) {
        return true;
    }
    return !request->manner->has_user_proof &&
           stun_message_find(request->message, STUN_ATTR_USERHASH, &claim->hash);
}

// The stronger proof counts when there are two (RFC 8489 section 9.2.4 asks for either).
static bool is_intact(const struct stun_message *message, const struct turn_key *key,
                      enum turn_response_proof *proof)
{
    if (stun_message_has(message, STUN_ATTR_MESSAGE_INTEGRITY_SHA256)) {
        *proof = TURN_RESPONSE_SHA256;
        return stun_message_is_intact_sha256(message, turn_key_bytes(key));
    }
    *proof = TURN_RESPONSE_SHA1;
    return stun_message_is_intact(message, turn_key_bytes(key));
}

// Tries the keys that a user may have. A stranger's request is checked too, against a key that
// nobody has: equal answer, equal work.
static bool try_keys(const struct turn_server *server, struct turn_request *request,
                     const struct turn_credential_match *match)
{
    enum turn_response_proof proof = TURN_RESPONSE_UNSIGNED;

    if (match->key_count == 0) {
        IGNORE(is_intact(request->message, &server->stranger_key, &proof));
        return false;
    }
    for (uint32_t i = 0; i < match->key_count; i++) {
        if (is_intact(request->message, &match->keys[i], &proof)) {
            request->to.proof = proof;
            request->to.key = match->keys[i];
            return true;
        }
    }
    return false;
}

// Firezone's clients take no answer that is not signed, not even the first 401.
static void sign_anyway(struct turn_request *request, const struct turn_credential_match *match)
{
    if (request->manner->has_user_proof && match->key_count > 0) {
        request->to.proof = TURN_RESPONSE_SHA1;
        request->to.key = match->keys[0];
    }
}

// What is wrong with a credential, for whoever runs the relay. `is_proven`: but for that.
static enum turn_refusal doubt_of(const struct turn_credential_match *match, bool is_realm,
                                  bool is_proven)
{
    static const struct {
        enum turn_refusal password;
        enum turn_refusal over;
    } doubts[] = {
        [TURN_CREDENTIAL_NONE] = {TURN_REFUSAL_STRANGER, TURN_REFUSAL_STRANGER},
        [TURN_CREDENTIAL_USER] = {TURN_REFUSAL_PASSWORD, TURN_REFUSAL_PASSWORD},
        [TURN_CREDENTIAL_REST] = {TURN_REFUSAL_REST_PASSWORD, TURN_REFUSAL_REST_OVER},
        [TURN_CREDENTIAL_FIREZONE] = {TURN_REFUSAL_FIREZONE_PASSWORD, TURN_REFUSAL_FIREZONE_OVER},
    };

    if (!is_realm) {
        return TURN_REFUSAL_REALM;
    }
    return is_proven ? doubts[match->kind].over : doubts[match->kind].password;
}

static enum turn_auth_outcome check_claim(const struct turn_server *server,
                                          struct turn_request *request,
                                          const struct turn_credential_match *match)
{
    struct bytes realm = {0};
    bool has_realm = stun_message_find(request->message, STUN_ATTR_REALM, &realm);
    bool has_nonce = stun_message_has(request->message, STUN_ATTR_NONCE);

    sign_anyway(request, match);
    if (!has_realm || !has_nonce) {
        return request->manner->has_strict_nonce ? TURN_AUTH_ABSENT : TURN_AUTH_INCOMPLETE;
    }
    if (!request->is_client_certain && request->manner->has_strict_nonce) {
        return TURN_AUTH_STALE;
    }
    bool is_proven = try_keys(server, request, match);
    bool is_realm = bytes_equal(realm, request->to.realm);
    request->username = match->username;
    if (!is_proven || match->is_expired || !is_realm) {
        request->doubt = doubt_of(match, is_realm, is_proven);
        sign_anyway(request, match);
        if (!request->manner->has_user_proof) {
            request->to.proof = TURN_RESPONSE_UNSIGNED;
        }
        return TURN_AUTH_WRONG;
    }
    if (!request->is_client_certain) {
        request->to.proof = TURN_RESPONSE_UNSIGNED;
        return TURN_AUTH_STALE;
    }
    // Of equal names under credentials of two kinds each is somebody else.
    request->user = siphash(&server->hash_key, match->identity) ^ (uint64_t)match->kind;
    request->to.is_proven = true;
    return TURN_AUTH_PROVEN;
}

enum turn_auth_outcome turn_auth_check(struct turn_server *server, struct turn_request *request)
{
    struct turn_credential_claim claim = {0};
    struct turn_credential_match match = {0};
    enum turn_auth_outcome outcome = TURN_AUTH_ABSENT;

    if (is_firezone(server, request->message)) {
        claim.manner = TURN_MANNER_FIREZONE;
        request->manner = turn_manner_of(TURN_MANNER_FIREZONE);
        request->to.realm = turn_manner_firezone_realm;
    }
    bool has_proof = turn_auth_is_claim(request->message);
    bool has_user = user_read(request, &claim);
    bool has_algorithm = algorithm_read(request->message, &claim.algorithm);
    if (has_user && (has_proof || request->manner->has_user_proof)) {
        turn_credential_find(&server->policy->credential, request->now, &claim, &match);
    }
    if (has_user && request->manner->has_user_proof && match.key_count == 0) {
        request->doubt = TURN_REFUSAL_FIREZONE_NAME;
        outcome = TURN_AUTH_UNREADABLE;
    } else if (!has_proof || (!has_user && request->manner->has_strict_nonce)) {
        sign_anyway(request, &match);
    } else if (!has_user || !has_algorithm) {
        sign_anyway(request, &match);
        outcome = TURN_AUTH_INCOMPLETE;
    } else {
        outcome = check_claim(server, request, &match);
    }
    crypto_wipe(&match, sizeof match);
    return outcome;
}
