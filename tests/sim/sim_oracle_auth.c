// SPDX-License-Identifier: Apache-2.0
// Who asks: the naive server's long-term credentials (RFC 8489 section 9.2.4), and what Firezone's
// clients expect instead of it.
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto_digest.h"
#include "sim/sim_credential.h"
#include "sim/sim_oracle.h"

enum {
    USERNAME = 0x06,
    REALM = 0x14,
    NONCE = 0x15,
    PASSWORD_ALGORITHM = 0x1d,
    USERHASH = 0x1e,
    PASSWORD_ALGORITHMS = 0x8002,
    NONCE_S = 3600,
    MD5_NUMBER = 1,
    SHA256_NUMBER = 2,
    ALGORITHM_NONE = 0xffff,
};

static const struct bytes firezone = BYTES_LITERAL("firezone");

// The passwords of one name: one, or one for each secret.
struct passwords {
    enum sim_credential_kind kind;
    bool is_over; // its time
    size_t count;
    struct bytes texts[TURN_CONFIG_SECRET_COUNT];
    uint8_t memory[TURN_CONFIG_SECRET_COUNT][SIM_CREDENTIAL_TEXT_MAX];
};

static bool is_nonce_good(const struct sim_oracle *oracle, struct now now,
                          const struct addr *client, struct bytes text)
{
    bool is_known = false;

    for (size_t i = oracle->nonce_count; i > 0; i--) {
        const struct sim_oracle_nonce *made = &oracle->nonces[i - 1];
        if (!bytes_equal(text, (struct bytes){made->text, made->len})) {
            continue;
        }
        if (!addr_equal(&made->client, client)) {
            sim_cover_point(oracle->cover, SIM_COVER_NONCE_FOREIGN);
            return false;
        }
        is_known = true;
        if (now.mono_ns / SECOND_NS - made->made_s <= NONCE_S) {
            if (made->home != oracle->home) {
                sim_cover_point(oracle->cover, SIM_COVER_NONCE_ELSEWHERE);
            }
            return true;
        }
    }
    if (is_known) {
        sim_cover_point(oracle->cover, SIM_COVER_NONCE_OLD);
    }
    return false;
}

// The algorithm that turns the password into a key, or ALGORITHM_NONE when the client shows not
// all that it was offered: somebody on the way may have taken the better one out.
static unsigned algorithm_of(const struct sim_oracle *oracle, const struct sim_naive *message)
{
    static const uint8_t offered[] = {0, SHA256_NUMBER, 0, 0, 0, MD5_NUMBER, 0, 0};
    const struct sim_naive_attr *one = sim_naive_find(message, PASSWORD_ALGORITHM);
    const struct sim_naive_attr *all = sim_naive_find(message, PASSWORD_ALGORITHMS);

    if (one == NULL && all == NULL) {
        return MD5_NUMBER;
    }
    if (one == NULL || all == NULL ||
        !bytes_equal(all->value, (struct bytes){offered, sizeof offered})) {
        sim_cover_point(oracle->cover, SIM_COVER_BID_DOWN);
        return ALGORITHM_NONE;
    }
    for (size_t i = 0; i < sizeof offered; i += 4) {
        if (bytes_equal(one->value, (struct bytes){offered + i, 4})) {
            return offered[i + 1];
        }
    }
    return ALGORITHM_NONE;
}

// The name behind a USERHASH: whoever's it is.
static struct bytes unhashed(const struct turn_config *config, struct bytes hash)
{
    for (size_t i = 0; i < config->user_count; i++) {
        const struct bytes colon = BYTES_LITERAL(":");
        const struct bytes spans[] = {config->users[i].name, colon, config->realm};
        uint8_t digest[CRYPTO_SHA256_LEN];

        crypto_digest_sha256(spans, COUNT_OF(spans), digest);
        if (bytes_equal(hash, (struct bytes){digest, sizeof digest})) {
            return config->users[i].name;
        }
    }
    return (struct bytes){0};
}

static void find_passwords(const struct turn_config *config, struct now now, bool is_firezone,
                           struct bytes name, struct passwords *out)
{
    int64_t expiry_s = INT64_MAX;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < config->user_count && !is_firezone; i++) {
        if (bytes_equal(name, config->users[i].name)) {
            out->kind = SIM_CREDENTIAL_USER;
            out->texts[out->count++] = config->users[i].password;
            return;
        }
    }
    if (!sim_credential_expiry(name, &expiry_s)) {
        return;
    }
    out->kind = is_firezone ? SIM_CREDENTIAL_FIREZONE : SIM_CREDENTIAL_REST;
    out->is_over = expiry_s < now.wall_s;
    for (size_t i = 0; i < (is_firezone ? 1 : config->auth_secret_count); i++) {
        uint8_t *memory = out->memory[i];
        size_t len = is_firezone ? sim_credential_firezone(config->stamp_secret, name, memory)
                                 : sim_credential_rest(config->auth_secrets[i], name, memory);
        out->texts[i] = (struct bytes){memory, len};
        out->count += len > 0;
    }
}

// The number of a user: who has a name by one kind of credential is somebody else than who has it
// by another. In TURN REST the name is what stays when a credential is renewed.
static unsigned user_of(struct sim_oracle *oracle, enum sim_credential_kind kind, struct bytes name)
{
    if (kind == SIM_CREDENTIAL_REST && bytes_index(name, ':') + 1 < name.len) {
        name = bytes_from(name, bytes_index(name, ':') + 1);
    }
    for (unsigned i = 0; i < oracle->user_count; i++) {
        const struct sim_oracle_user *user = &oracle->users[i];
        if (bytes_equal(name, (struct bytes){user->name, user->len})) {
            if (user->kind == kind) {
                return i;
            }
            sim_cover_point(oracle->cover, SIM_COVER_USER_NAMESAKE);
        }
    }
    oracle->users = realloc(oracle->users, (oracle->user_count + 1) * sizeof *oracle->users);
    assert(oracle->users != NULL);
    assert(name.len <= SIM_ORACLE_NAME);
    struct sim_oracle_user *user = &oracle->users[oracle->user_count];
    user->kind = kind;
    user->len = name.len;
    memcpy(user->name, name.ptr, name.len);
    return oracle->user_count++;
}

// 401; why is reported, but not told to the client.
static unsigned doubt(const struct passwords *passwords, bool is_realm, bool is_over,
                      struct sim_expect *out)
{
    static const enum turn_refusal doubts[][2] = {
        [SIM_CREDENTIAL_USER] = {TURN_REFUSAL_PASSWORD, TURN_REFUSAL_NONE},
        [SIM_CREDENTIAL_REST] = {TURN_REFUSAL_REST_PASSWORD, TURN_REFUSAL_REST_OVER},
        [SIM_CREDENTIAL_FIREZONE] = {TURN_REFUSAL_FIREZONE_PASSWORD, TURN_REFUSAL_FIREZONE_OVER},
    };

    out->refusal = !is_realm               ? TURN_REFUSAL_REALM
                   : passwords->count == 0 ? TURN_REFUSAL_STRANGER
                                           : doubts[passwords->kind][is_over];
    return 401;
}

// Compares the proof with what it should be; 0 or 401.
static unsigned check_proof(struct sim_oracle *oracle, const struct sim_naive *message,
                            struct bytes name, bool is_sha256, const struct passwords *passwords,
                            struct sim_expect *out)
{
    struct bytes realm = out->is_firezone ? firezone : oracle->setup->config.realm;
    bool is_realm = bytes_equal(sim_naive_find(message, REALM)->value, realm);

    out->name = passwords->count > 0 ? name : (struct bytes){0};
    for (size_t i = 0; i < passwords->count; i++) {
        struct sim_naive_key key = sim_naive_key(is_sha256, name, realm, passwords->texts[i]);
        if (!is_realm || !sim_naive_is_intact(message, &key)) {
            continue;
        }
        if (passwords->is_over) {
            sim_cover_point(oracle->cover, SIM_COVER_CREDENTIAL_OVER);
            return doubt(passwords, true, true, out);
        }
        out->is_authentic = true;
        out->proof = sim_naive_proof(message);
        out->key = key;
        out->user = user_of(oracle, passwords->kind, name);
        sim_cover_point(oracle->cover, is_sha256 ? SIM_COVER_KEY_SHA256 : SIM_COVER_KEY_MD5);
        if (i > 0) {
            sim_cover_point(oracle->cover, SIM_COVER_SECRET_SECOND);
        }
        if (out->proof == SIM_NAIVE_SHA256) {
            sim_cover_point(oracle->cover, SIM_COVER_PROOF_SHA256);
        }
        return 0;
    }
    sim_cover_point(oracle->cover,
                    passwords->count > 0 ? SIM_COVER_PASSWORD_WRONG : SIM_COVER_USER_UNKNOWN);
    return doubt(passwords, is_realm, false, out);
}

static unsigned authenticate_rfc(struct sim_oracle *oracle, struct now now,
                                 const struct sim_naive *message, struct sim_expect *out)
{
    const struct turn_config *config = &oracle->setup->config;
    const struct sim_naive_attr *user = sim_naive_find(message, USERNAME);
    const struct sim_naive_attr *hash = sim_naive_find(message, USERHASH);
    const struct sim_naive_attr *nonce = sim_naive_find(message, NONCE);
    struct passwords passwords;

    if (sim_naive_proof(message) == SIM_NAIVE_UNSIGNED) {
        return 401;
    }
    if ((user == NULL && hash == NULL) || sim_naive_find(message, REALM) == NULL || nonce == NULL) {
        sim_cover_point(oracle->cover, SIM_COVER_CREDENTIALS_INCOMPLETE);
        return 400;
    }
    unsigned algorithm = algorithm_of(oracle, message);
    if (algorithm == ALGORITHM_NONE) {
        return 400;
    }
    struct bytes name = user != NULL ? user->value : unhashed(config, hash->value);
    find_passwords(config, now, false, name, &passwords);
    unsigned code = check_proof(oracle, message, name, algorithm == SHA256_NUMBER, &passwords, out);
    out->is_client_certain = is_nonce_good(oracle, now, &out->tuple.client, nonce->value);
    if (code == 0 && !out->is_client_certain) {
        out->is_authentic = false; // RFC 8489 section 9.2.4 asks for the nonce last
        out->proof = SIM_NAIVE_UNSIGNED;
        return 438;
    }
    if (code == 0 && user == NULL) {
        sim_cover_point(oracle->cover, SIM_COVER_USERHASH);
    }
    return code;
}

// Every answer is signed for whoever the username names, the first 401 too: MESSAGE-INTEGRITY by
// the key that the client will try. Without a username none can be; one that is malformed gets no
// answer. A nonce that is bad in whatever way is 438.
static unsigned authenticate_firezone(struct sim_oracle *oracle, struct now now,
                                      const struct sim_naive *message, struct sim_expect *out)
{
    const struct sim_naive_attr *user = sim_naive_find(message, USERNAME);
    const struct sim_naive_attr *nonce = sim_naive_find(message, NONCE);
    unsigned algorithm = algorithm_of(oracle, message);
    bool is_sha256 = algorithm == SHA256_NUMBER;
    struct passwords passwords;

    if (user == NULL) {
        sim_cover_point(oracle->cover, SIM_COVER_FIREZONE_NAMELESS);
        return 401;
    }
    find_passwords(&oracle->setup->config, now, true, user->value, &passwords);
    out->is_client_certain = sim_naive_proof(message) != SIM_NAIVE_UNSIGNED && nonce != NULL &&
                             is_nonce_good(oracle, now, &out->tuple.client, nonce->value);
    if (passwords.count == 0) {
        sim_cover_point(oracle->cover, SIM_COVER_FIREZONE_SILENCE);
        out->kind = SIM_EXPECT_SILENCE;
        out->refusal = TURN_REFUSAL_FIREZONE_NAME;
        return 0;
    }
    out->proof = SIM_NAIVE_SHA1;
    out->key = sim_naive_key(is_sha256, user->value, firezone, passwords.texts[0]);
    sim_cover_point(oracle->cover, SIM_COVER_FIREZONE_SIGNED);
    if (sim_naive_proof(message) == SIM_NAIVE_UNSIGNED) {
        return 401;
    }
    if (algorithm == ALGORITHM_NONE) {
        return 400;
    }
    if (nonce == NULL) {
        sim_cover_point(oracle->cover, SIM_COVER_FIREZONE_FIRST);
        return 401;
    }
    if (!out->is_client_certain) {
        return 438;
    }
    return check_proof(oracle, message, user->value, is_sha256, &passwords, out);
}

unsigned sim_oracle_authenticate(struct sim_oracle *oracle, struct now now,
                                 const struct sim_naive *message, struct sim_expect *out)
{
    const struct sim_naive_attr *realm = sim_naive_find(message, REALM);

    out->is_firezone = oracle->setup->config.stamp_secret.len > 0 && realm != NULL &&
                       bytes_equal(realm->value, firezone);
    out->realm = out->is_firezone ? firezone : oracle->setup->config.realm;
    return out->is_firezone ? authenticate_firezone(oracle, now, message, out)
                            : authenticate_rfc(oracle, now, message, out);
}
