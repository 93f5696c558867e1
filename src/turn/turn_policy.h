// SPDX-License-Identifier: Apache-2.0
// What a server is told that may change while it serves: who may use it, which peers they may
// reach, and how much of it each may have.
//
// A policy never changes once it is made, so that all shards of a relay may look into one without a
// lock. To change it the caller makes another one, in memory of its own, and has each shard take it
// in the shard's own thread (turn_server_adopt()): each of its requests then is judged by the old
// one or by the new one, and never by a part of each. When the last shard has taken the new one,
// the caller wipes the old one.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/siphash.h"
#include "turn/turn_config.h"
#include "turn/turn_credential.h"
#include "turn/turn_peers.h"

struct turn_policy {
    size_t size; // bytes of all its memory, of which this is the first part
    // As it was given, but for what is lent: realm and software are in here, the rest is empty.
    // What one shard differs in from another, and what a server can have of it only when it is
    // made, say nothing (turn_policy_apply()).
    struct turn_config config;
    uint8_t realm[TURN_CONFIG_REALM_MAX];
    uint8_t software[TURN_CONFIG_SOFTWARE_MAX];
    struct turn_credential credential;
    struct turn_peers peers;
};

// Bytes of memory that a policy of this configuration needs.
size_t turn_policy_size(const struct turn_config *config);
// Makes one in `memory`: zeroed, aligned for uint64_t, turn_policy_size() bytes. The seed is secret
// and unpredictable.
struct turn_policy *turn_policy_init(void *memory, const struct turn_config *config,
                                     const uint8_t seed[SIPHASH_KEY_LEN]);
// Wipes all of its memory. No server looks into it any more.
void turn_policy_deinit(struct turn_policy *policy);

// Another policy may take a server from this one: all is equal that a server has for life, such as
// realm, addresses, ports and capacities.
bool turn_policy_may_follow(const struct turn_policy *policy, const struct turn_config *config);
// Puts what may change into a server's configuration. What is lent stays with the policy.
void turn_policy_apply(const struct turn_policy *policy, struct turn_config *config);
// Puts what may not change into a configuration of which another policy is to be made: that one may
// follow then. The realm is lent by this policy.
void turn_policy_hold(const struct turn_policy *policy, struct turn_config *config);

// For another policy that is to have the same credentials, of which nobody knows the passwords any
// more: they are lent, and so good as long as this one.

// Writes up to `max` users, those first that the configuration had first; how many there are.
size_t turn_policy_users(const struct turn_policy *policy, struct turn_user *out, size_t max);
// Writes the secrets of TURN REST; how many there are.
size_t turn_policy_auth_secrets(const struct turn_policy *policy,
                                struct bytes out[TURN_CONFIG_SECRET_COUNT]);
struct bytes turn_policy_stamp_secret(const struct turn_policy *policy);
