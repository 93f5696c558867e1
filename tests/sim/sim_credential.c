// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_credential.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/crypto_digest.h"
#include "crypto/crypto_hmac.h"

enum { SALTS = 3 };

static const int64_t gateway_expiry_s = 2145916800; // of all of Firezone's gateways

bool sim_credential_expiry(struct bytes name, int64_t *out)
{
    uint64_t number = 0;
    size_t at = 0;

    for (; at < name.len && name.ptr[at] != ':'; at++) {
        uint8_t digit = name.ptr[at];
        if (digit < '0' || digit > '9' || number > (UINT64_MAX - 9) / 10) {
            return false;
        }
        number = number * 10 + (digit - '0');
    }
    if (at == 0 || number > INT64_MAX) {
        return false;
    }
    *out = (int64_t)number;
    return true;
}

// Six bits at a time.
static size_t base64(const uint8_t *from, size_t len, bool is_padded, uint8_t *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t out_len = 0;

    for (size_t bit = 0; bit < 8 * len; bit += 6) {
        unsigned two = from[bit / 8] * 256U + (bit / 8 + 1 < len ? from[bit / 8 + 1] : 0);
        out[out_len++] = (uint8_t)digits[two >> (10 - bit % 8) & 63];
    }
    while (is_padded && out_len % 4 != 0) {
        out[out_len++] = '=';
    }
    return out_len;
}

size_t sim_credential_rest(struct bytes secret, struct bytes name,
                           uint8_t out[SIM_CREDENTIAL_TEXT_MAX])
{
    uint8_t mac[CRYPTO_SHA1_LEN];

    crypto_hmac_sha1(secret, &name, 1, mac);
    return base64(mac, sizeof mac, true, out);
}

size_t sim_credential_firezone(struct bytes stamp, struct bytes name,
                               uint8_t out[SIM_CREDENTIAL_TEXT_MAX])
{
    const struct bytes colon = BYTES_LITERAL(":");
    uint8_t digest[CRYPTO_SHA256_LEN];
    size_t colons = 0;
    size_t at = 0;
    int64_t expiry_s = 0;

    for (size_t i = 0; i < name.len; i++) {
        at = name.ptr[i] == ':' && colons == 0 ? i : at;
        colons += name.ptr[i] == ':';
    }
    if (colons != 1 || !sim_credential_expiry(name, &expiry_s)) {
        return 0;
    }
    const struct bytes spans[] = {bytes_first(name, at), colon, stamp, colon,
                                  bytes_from(name, at + 1)};
    crypto_digest_sha256(spans, COUNT_OF(spans), digest);
    return base64(digest, sizeof digest, false, out);
}

bool sim_credential_is_right(void)
{
    static const struct {
        const char *stamp;
        const char *name;
        const char *password;
    } portal[] = {
        {"4c98bf59c99b3e467ecd7cf9d6b3e5279645fca59be67bc5bb4af3cf653761ab",
         "1892160000:n23JJ2wKKtt30oXi", "00hqldgk5xLeKKOB+xls9mHMVtgqzie9DulfgQwMv68"},
        {"1cab293a-4032-46f4-862a-40e5d174b0d2", "1685984278:uvdgKvS9GXYZ_vmv",
         "6xUIoZ+QvxKhRasLifwfRkMXl+ETLJUsFkHlXjlHAkg"},
    };

    for (size_t i = 0; i < COUNT_OF(portal); i++) {
        uint8_t text[SIM_CREDENTIAL_TEXT_MAX];
        size_t len = sim_credential_firezone(bytes_of_text(portal[i].stamp),
                                             bytes_of_text(portal[i].name), text);
        if (!bytes_equal_text((struct bytes){text, len}, portal[i].password)) {
            return false;
        }
    }
    return true;
}

enum sim_credential_kind sim_credential_kind_of(const struct sim_setup *setup, struct rng *rng)
{
    const struct turn_config *config = &setup->config;

    if (config->stamp_secret.len > 0 && rng_chance(rng, 50)) {
        return SIM_CREDENTIAL_FIREZONE;
    }
    if (config->auth_secret_count > 0 && rng_chance(rng, 50)) {
        return SIM_CREDENTIAL_REST;
    }
    return config->user_count > 0          ? SIM_CREDENTIAL_USER
           : config->auth_secret_count > 0 ? SIM_CREDENTIAL_REST
                                           : SIM_CREDENTIAL_FIREZONE;
}

static struct bytes name_of(const struct sim_credential *credential)
{
    return (struct bytes){credential->name, credential->name_len};
}

static struct sim_credential copy_of(const struct turn_user *user)
{
    struct sim_credential credential = {
        .expiry_s = INT64_MAX, .name_len = user->name.len, .password_len = user->password.len};

    assert(user->name.len <= SIM_CREDENTIAL_TEXT_MAX);
    memcpy(credential.name, user->name.ptr, user->name.len);
    memcpy(credential.password, user->password.ptr, user->password.len);
    return credential;
}

// Puts a name behind the colon.
static void take_name(struct sim_credential *credential, struct bytes name)
{
    struct wr wr = wr_init(credential->name, sizeof credential->name);

    wr.len = bytes_index(name_of(credential), ':') + 1;
    wr_bytes(&wr, name);
    assert(wr_ok(&wr));
    credential->name_len = wr.len;
}

struct sim_credential sim_credential_make(const struct sim_setup *setup, struct rng *rng,
                                          enum sim_credential_kind kind, unsigned client,
                                          struct now now)
{
    static const int64_t ttls_s[] = {3, 60, 600, 4000, 86400};
    const struct turn_config *config = &setup->config;
    struct sim_credential credential = {.kind = kind};
    bool is_lasting = rng_chance(rng, kind == SIM_CREDENTIAL_FIREZONE ? 80 : 15);

    if (kind == SIM_CREDENTIAL_USER) {
        return copy_of(&config->users[rng_below(rng, config->user_count)]);
    }
    // Lasting names are the same for some clients, and in both kinds.
    credential.expiry_s =
        is_lasting ? gateway_expiry_s : now.wall_s + ttls_s[rng_below(rng, COUNT_OF(ttls_s))];
    int len = snprintf((char *)credential.name, sizeof credential.name, "%" PRId64 ":s%u",
                       credential.expiry_s, client % SALTS);
    assert(len > 0);
    credential.name_len = (size_t)len;
    if (kind == SIM_CREDENTIAL_REST) {
        if (config->user_count > 0 && rng_chance(rng, 10)) {
            take_name(&credential, config->users[0].name);
        }
        struct bytes secret = config->auth_secrets[rng_below(rng, config->auth_secret_count)];
        credential.password_len =
            sim_credential_rest(secret, name_of(&credential), credential.password);
    } else {
        credential.password_len = sim_credential_firezone(
            config->stamp_secret, name_of(&credential), credential.password);
    }
    return credential;
}
