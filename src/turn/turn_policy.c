// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_policy.h"

#include <assert.h>
#include <string.h>

#include "base/layout.h"
#include "crypto/crypto_wipe.h"

// The parts of its memory, in their order.
struct layout {
    size_t credential;
    size_t peers;
    size_t end;
};

static struct layout layout_of(const struct turn_config *config)
{
    struct layout layout = {0};

    (void)layout_place(&layout.end, sizeof(struct turn_policy));
    layout.credential = layout_place(&layout.end, turn_credential_size(config));
    layout.peers = layout_place(&layout.end, turn_peers_size(config));
    return layout;
}

size_t turn_policy_size(const struct turn_config *config)
{
    return layout_of(config).end;
}

static void check_config(const struct turn_config *config)
{
    assert(config->realm.len >= 1);
    assert(config->realm.len <= TURN_CONFIG_REALM_MAX);
    assert(config->software.len <= TURN_CONFIG_SOFTWARE_MAX);
    assert(config->max_amplification >= 1);
    assert(config->min_lifetime_s >= 1);
    assert(config->min_lifetime_s <= config->max_lifetime_s);
    assert(config->default_lifetime_s >= 1);
    // Counts per allocation are kept in 16 bits.
    assert(config->permissions_per_allocation <= UINT16_MAX);
    assert(config->channels_per_allocation <= UINT16_MAX);
}

// Copies what the configuration lends, and forgets the rest of it.
static void keep_config(struct turn_policy *policy, const struct turn_config *config)
{
    policy->config = *config;
    memcpy(policy->realm, config->realm.ptr, config->realm.len);
    policy->config.realm.ptr = policy->realm;
    if (config->software.len > 0) {
        memcpy(policy->software, config->software.ptr, config->software.len);
    }
    policy->config.software.ptr = policy->software;
    policy->config.users = NULL;
    policy->config.user_count = 0;
    policy->config.auth_secrets = NULL;
    policy->config.auth_secret_count = 0;
    policy->config.stamp_secret = (struct bytes){0};
    policy->config.rules = NULL;
    policy->config.rule_count = 0;
    policy->config.own_addrs = NULL;
    policy->config.own_addr_count = 0;
    policy->config.commons = NULL;
    policy->config.policy = NULL;
}

struct turn_policy *turn_policy_init(void *memory, const struct turn_config *config,
                                     const uint8_t seed[SIPHASH_KEY_LEN])
{
    const struct layout layout = layout_of(config);
    const struct siphash_key key = siphash_key_read(seed);
    struct turn_policy *policy = memory;
    uint8_t *base = memory;

    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    check_config(config);
    policy->size = layout.end;
    keep_config(policy, config);
    turn_credential_init(&policy->credential, base + layout.credential, &key, config,
                         policy->config.realm);
    turn_peers_init(&policy->peers, base + layout.peers, config);
    return policy;
}

void turn_policy_deinit(struct turn_policy *policy)
{
    crypto_wipe_used(policy, policy->size);
}

bool turn_policy_may_follow(const struct turn_policy *policy, const struct turn_config *config)
{
    const struct turn_config *own = &policy->config;

    return bytes_equal(own->realm, config->realm) &&
           addr_equal(&own->public_ip4, &config->public_ip4) &&
           addr_equal(&own->public_ip6, &config->public_ip6) &&
           addr_equal(&own->bind_ip4, &config->bind_ip4) &&
           addr_equal(&own->bind_ip6, &config->bind_ip6) &&
           own->listen_port == config->listen_port && own->lowest_port == config->lowest_port &&
           own->highest_port == config->highest_port &&
           own->max_allocations == config->max_allocations &&
           own->max_permissions == config->max_permissions &&
           own->max_channels == config->max_channels &&
           own->max_reservations == config->max_reservations && own->max_pps == config->max_pps &&
           own->max_bps == config->max_bps;
}

// What may change and is no list.
static void copy_terms(const struct turn_config *from, struct turn_config *to)
{
    to->software = from->software;
    to->max_amplification = from->max_amplification;
    to->unauthenticated_rate = from->unauthenticated_rate;
    to->allocations_per_user = from->allocations_per_user;
    to->permissions_per_allocation = from->permissions_per_allocation;
    to->channels_per_allocation = from->channels_per_allocation;
    to->min_lifetime_s = from->min_lifetime_s;
    to->default_lifetime_s = from->default_lifetime_s;
    to->max_lifetime_s = from->max_lifetime_s;
}

void turn_policy_apply(const struct turn_policy *policy, struct turn_config *config)
{
    config->realm = policy->config.realm;
    copy_terms(&policy->config, config);
}

void turn_policy_hold(const struct turn_policy *policy, struct turn_config *config)
{
    struct turn_config held = policy->config;

    copy_terms(config, &held);
    held.users = config->users;
    held.user_count = config->user_count;
    held.auth_secrets = config->auth_secrets;
    held.auth_secret_count = config->auth_secret_count;
    held.stamp_secret = config->stamp_secret;
    held.rules = config->rules;
    held.rule_count = config->rule_count;
    held.own_addrs = config->own_addrs;
    held.own_addr_count = config->own_addr_count;
    *config = held;
    assert(turn_policy_may_follow(policy, config));
}

size_t turn_policy_users(const struct turn_policy *policy, struct turn_user *out, size_t max)
{
    const struct turn_credential *credential = &policy->credential;

    for (uint32_t i = 0; i < credential->user_count && i < max; i++) {
        const struct turn_credential_user *user = &credential->users[i];
        out[i] = (struct turn_user){
            .name = {credential->names + user->name_at, user->name_len},
            .keys = &user->keys,
        };
    }
    return credential->user_count;
}

size_t turn_policy_auth_secrets(const struct turn_policy *policy,
                                struct bytes out[TURN_CONFIG_SECRET_COUNT])
{
    const struct turn_credential *credential = &policy->credential;

    for (uint32_t i = 0; i < credential->secret_count; i++) {
        out[i] = (struct bytes){credential->secrets[i].bytes, credential->secrets[i].len};
    }
    return credential->secret_count;
}

struct bytes turn_policy_stamp_secret(const struct turn_policy *policy)
{
    return (struct bytes){policy->credential.stamp.bytes, policy->credential.stamp.len};
}
