// SPDX-License-Identifier: Apache-2.0
// Who asks: the naive server's long-term credentials (RFC 8489 section 9.2.4).
#include "sim/sim_oracle.h"

enum {
    USERNAME = 0x06,
    MESSAGE_INTEGRITY = 0x08,
    REALM = 0x14,
    NONCE = 0x15,
    NONCE_S = 3600,
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
            return true;
        }
    }
    if (is_known) {
        sim_cover_point(oracle->cover, SIM_COVER_NONCE_OLD);
    }
    return false;
}

unsigned sim_oracle_authenticate(const struct sim_oracle *oracle, struct now now,
                                 const struct sim_naive *message, struct sim_expect *out)
{
    const struct turn_config *config = &oracle->setup->config;
    const struct sim_naive_attr *user = sim_naive_find(message, USERNAME);
    const struct sim_naive_attr *realm = sim_naive_find(message, REALM);
    const struct sim_naive_attr *nonce = sim_naive_find(message, NONCE);

    if (sim_naive_find(message, MESSAGE_INTEGRITY) == NULL) {
        return 401;
    }
    if (user == NULL || realm == NULL || nonce == NULL) {
        sim_cover_point(oracle->cover, SIM_COVER_CREDENTIALS_INCOMPLETE);
        return 400;
    }
    if (!is_nonce_good(oracle, now, &out->tuple.client, nonce->value)) {
        return 438;
    }
    for (unsigned i = 0; i < config->user_count; i++) {
        if (bytes_equal(user->value, config->users[i].name)) {
            sim_naive_key(user->value, config->realm, config->users[i].password, out->key);
            out->user = i;
            out->is_authentic =
                bytes_equal(realm->value, config->realm) && sim_naive_is_intact(message, out->key);
            if (!out->is_authentic) {
                sim_cover_point(oracle->cover, SIM_COVER_PASSWORD_WRONG);
            }
            return out->is_authentic ? 0 : 401;
        }
    }
    sim_cover_point(oracle->cover, SIM_COVER_USER_UNKNOWN);
    return 401;
}
