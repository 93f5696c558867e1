// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_credential.h"

#include <assert.h>
#include <string.h>

#include "base/base64.h"
#include "crypto/crypto_hmac.h"
#include "crypto/crypto_wipe.h"

static size_t names_len(const struct turn_config *config)
{
    size_t len = 0;
    for (size_t i = 0; i < config->user_count; i++) {
        len += config->users[i].name.len;
    }
    return len;
}

static uint32_t capacity_of(size_t count)
{
    assert(count < UINT32_C(1) << 24);
    return count > 0 ? (uint32_t)count : 1;
}

size_t turn_credential_size(const struct turn_config *config)
{
    uint32_t capacity = capacity_of(config->user_count);
    return 2 * table_size(capacity) + capacity * sizeof(struct turn_credential_user) +
           names_len(config);
}

static struct bytes name_of(const struct turn_credential *credential, uint32_t index)
{
    const struct turn_credential_user *user = &credential->users[index];
    return (struct bytes){credential->names + user->name_at, user->name_len};
}

static struct bytes hash_of(const struct turn_credential *credential, uint32_t index)
{
    return (struct bytes){credential->users[index].hash, STUN_USERHASH_LEN};
}

static bool has_name(const void *context, uint32_t index, const void *key)
{
    return bytes_equal(name_of(context, index), *(const struct bytes *)key);
}

static bool has_hash(const void *context, uint32_t index, const void *key)
{
    return bytes_equal(hash_of(context, index), *(const struct bytes *)key);
}

static uint32_t index_of_name(const struct turn_credential *credential, struct bytes name)
{
    return table_find(&credential->by_name, siphash(&credential->hash_key, name), has_name,
                      credential, &name);
}

static uint32_t index_of_hash(const struct turn_credential *credential, struct bytes hash)
{
    return table_find(&credential->by_hash, siphash(&credential->hash_key, hash), has_hash,
                      credential, &hash);
}

static uint32_t add_name(struct turn_credential *credential, struct bytes name, uint32_t *names_at)
{
    uint32_t index = credential->user_count++;
    struct turn_credential_user *user = &credential->users[index];

    user->name_at = *names_at;
    user->name_len = (uint32_t)name.len;
    memcpy(credential->names + *names_at, name.ptr, name.len);
    *names_at += (uint32_t)name.len;
    stun_userhash(name, credential->realm, user->hash);
    table_add(&credential->by_name, siphash(&credential->hash_key, name), index);
    table_add(&credential->by_hash, siphash(&credential->hash_key, hash_of(credential, index)),
              index);
    return index;
}

static struct turn_key_pair keys_of(const struct turn_credential *credential,
                                    const struct turn_user *user)
{
    if (user->keys != NULL) {
        return *user->keys;
    }
    return (struct turn_key_pair){
        .md5 = turn_key_make(STUN_PASSWORD_MD5, user->name, credential->realm, user->password),
        .sha256 =
            turn_key_make(STUN_PASSWORD_SHA256, user->name, credential->realm, user->password),
    };
}

static void add_users(struct turn_credential *credential, const struct turn_config *config)
{
    uint32_t names_at = 0;

    for (size_t i = 0; i < config->user_count; i++) {
        const struct turn_user *user = &config->users[i];
        uint32_t index = index_of_name(credential, user->name);

        assert(user->name.len >= 1);
        assert(user->name.len <= TURN_CONFIG_USERNAME_MAX);
        if (index == TABLE_NONE) {
            index = add_name(credential, user->name, &names_at);
        }
        credential->users[index].keys = keys_of(credential, user);
    }
}

static void keep_secret(struct turn_credential_secret *secret, struct bytes from)
{
    assert(from.len <= sizeof secret->bytes);
    secret->len = (uint8_t)from.len;
    if (from.len > 0) {
        memcpy(secret->bytes, from.ptr, from.len);
    }
}

void turn_credential_init(struct turn_credential *credential, void *memory,
                          const struct siphash_key *hash_key, const struct turn_config *config,
                          struct bytes realm)
{
    uint32_t capacity = capacity_of(config->user_count);
    uint8_t *at = memory;
    uint8_t *users = at + 2 * table_size(capacity);

    *credential = (struct turn_credential){
        .hash_key = *hash_key,
        .realm = realm,
        .users = (struct turn_credential_user *)(void *)users,
        .names = users + capacity * sizeof(struct turn_credential_user),
    };
    table_init(&credential->by_name, at, capacity);
    table_init(&credential->by_hash, at + table_size(capacity), capacity);
    add_users(credential, config);
    assert(config->auth_secret_count <= TURN_CONFIG_SECRET_COUNT);
    for (size_t i = 0; i < config->auth_secret_count; i++) {
        keep_secret(&credential->secrets[i], config->auth_secrets[i]);
    }
    credential->secret_count = (uint32_t)config->auth_secret_count;
    keep_secret(&credential->stamp, config->stamp_secret);
}

bool turn_credential_has_anonymity(const struct turn_credential *credential)
{
    return credential->user_count > 0 && credential->secret_count == 0 &&
           credential->stamp.len == 0;
}

static struct bytes secret_bytes(const struct turn_credential_secret *secret)
{
    return (struct bytes){secret->bytes, secret->len};
}

// The Unix time before the first colon. False when there is none.
static bool expiry_read(struct bytes username, uint64_t *out)
{
    return bytes_to_number(bytes_first(username, bytes_index(username, ':')), INT64_MAX, out);
}

void turn_credential_rest_password(struct bytes secret, struct bytes username,
                                   uint8_t out[TURN_CREDENTIAL_REST_LEN])
{
    uint8_t mac[CRYPTO_SHA1_LEN];
    struct wr wr = wr_init(out, TURN_CREDENTIAL_REST_LEN);

    crypto_hmac_sha1(secret, &username, 1, mac);
    base64_write(&wr, (struct bytes){mac, sizeof mac}, true);
    assert(wr_ok(&wr));
    crypto_wipe(mac, sizeof mac);
}

bool turn_credential_firezone_password(struct bytes stamp, struct bytes username,
                                       uint8_t out[TURN_CREDENTIAL_FIREZONE_LEN])
{
    size_t colon = bytes_index(username, ':');
    struct bytes salt = bytes_from(username, colon + 1);
    uint8_t digest[CRYPTO_SHA256_LEN];
    uint64_t expiry_s = 0;

    if (colon == username.len || bytes_index(salt, ':') < salt.len ||
        !expiry_read(username, &expiry_s)) {
        return false;
    }
    const struct bytes colon_text = BYTES_LITERAL(":");
    const struct bytes spans[] = {bytes_first(username, colon), colon_text, stamp, colon_text,
                                  salt};
    crypto_digest_sha256(spans, COUNT_OF(spans), digest);
    struct wr wr = wr_init(out, TURN_CREDENTIAL_FIREZONE_LEN);
    base64_write(&wr, (struct bytes){digest, sizeof digest}, false);
    assert(wr_ok(&wr));
    crypto_wipe(digest, sizeof digest);
    return true;
}

static bool is_over(struct bytes username, struct now now)
{
    uint64_t expiry_s = 0;
    return expiry_read(username, &expiry_s) && (int64_t)expiry_s < now.wall_s;
}

static void find_firezone(const struct turn_credential *credential, struct now now,
                          const struct turn_credential_claim *claim,
                          struct turn_credential_match *out)
{
    uint8_t text[TURN_CREDENTIAL_FIREZONE_LEN];

    if (credential->stamp.len == 0 ||
        !turn_credential_firezone_password(secret_bytes(&credential->stamp), claim->username,
                                           text)) {
        return;
    }
    out->kind = TURN_CREDENTIAL_FIREZONE;
    out->username = claim->username;
    out->identity = claim->username;
    out->is_expired = is_over(claim->username, now);
    out->keys[out->key_count++] =
        turn_key_make(claim->algorithm, claim->username, turn_manner_firezone_realm,
                      (struct bytes){text, sizeof text});
    crypto_wipe(text, sizeof text);
}

// A user of the configuration. False when there is none of that name or hash.
static bool find_user(const struct turn_credential *credential,
                      const struct turn_credential_claim *claim, struct turn_credential_match *out)
{
    uint32_t index = claim->hash.len > 0 ? index_of_hash(credential, claim->hash)
                                         : index_of_name(credential, claim->username);
    if (index == TABLE_NONE) {
        return false;
    }
    const struct turn_credential_user *user = &credential->users[index];
    out->kind = TURN_CREDENTIAL_USER;
    out->username = name_of(credential, index);
    out->identity = out->username;
    out->keys[out->key_count++] =
        claim->algorithm == STUN_PASSWORD_MD5 ? user->keys.md5 : user->keys.sha256;
    return true;
}

// Of "EXPIRY:NAME" the name, which stays when the credential is renewed; without one, all of it.
static struct bytes rest_identity(struct bytes username)
{
    struct bytes name = bytes_from(username, bytes_index(username, ':') + 1);

    return name.len > 0 ? name : username;
}

static void find_rest(const struct turn_credential *credential, struct now now,
                      const struct turn_credential_claim *claim, struct turn_credential_match *out)
{
    uint8_t text[TURN_CREDENTIAL_REST_LEN];
    uint64_t expiry_s = 0;

    if (credential->secret_count == 0 || !expiry_read(claim->username, &expiry_s)) {
        return;
    }
    out->kind = TURN_CREDENTIAL_REST;
    out->username = claim->username;
    out->identity = rest_identity(claim->username);
    out->is_expired = is_over(claim->username, now);
    for (uint32_t i = 0; i < credential->secret_count; i++) {
        turn_credential_rest_password(secret_bytes(&credential->secrets[i]), claim->username, text);
        out->keys[out->key_count++] =
            turn_key_make(claim->algorithm, claim->username, credential->realm,
                          (struct bytes){text, sizeof text});
    }
    crypto_wipe(text, sizeof text);
}

void turn_credential_find(const struct turn_credential *credential, struct now now,
                          const struct turn_credential_claim *claim,
                          struct turn_credential_match *out)
{
    *out = (struct turn_credential_match){0};
    switch (claim->manner) {
    case TURN_MANNER_FIREZONE:
        find_firezone(credential, now, claim, out);
        return;
    case TURN_MANNER_RFC:
        if (!find_user(credential, claim, out)) {
            find_rest(credential, now, claim, out);
        }
        return;
    }
}
