// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_server.h"

#include <assert.h>
#include <string.h>

#include "base/layout.h"
#include "crypto/crypto_wipe.h"
#include "stun/stun_chandata.h"
#include "turn/turn_relay.h"
#include "turn/turn_request.h"
#include "turn/turn_server_priv.h"

// The parts of a server's memory, in their order.
struct layout {
    size_t policy;
    size_t commons;
    size_t expiry;
    size_t allocations;
    size_t permissions;
    size_t channels;
    size_t limits;
    size_t end;
};

static struct layout layout_of(const struct turn_config *config)
{
    struct layout layout = {0};
    size_t *end = &layout.end;

    (void)layout_place(end, sizeof(struct turn_server));
    layout.policy = layout_place(end, config->policy == NULL ? turn_policy_size(config) : 0);
    layout.commons = layout_place(end, config->commons == NULL ? turn_commons_size(config) : 0);
    layout.expiry = layout_place(end, turn_expiry_size(config));
    layout.allocations = layout_place(end, turn_allocation_store_size(config->max_allocations));
    layout.permissions = layout_place(end, turn_permission_store_size(config->max_permissions));
    layout.channels = layout_place(end, turn_channel_store_size(config->max_channels));
    layout.limits = layout_place(end, turn_limit_store_size(config));
    return layout;
}

size_t turn_server_size(const struct turn_config *config)
{
    return layout_of(config).end;
}

static void check_config(const struct turn_config *config)
{
    assert(config->public_ip4.family != ADDR_NONE || config->public_ip6.family != ADDR_NONE);
    assert(config->max_allocations >= 1);
    assert(config->max_permissions >= 1);
    assert(config->max_channels >= 1);
    assert(config->max_reservations >= 1);
    assert(config->shard_index < config->shard_count);
    assert(config->commons != NULL || config->shard_count == 1);
    assert(config->commons == NULL || config->commons->shard_count == config->shard_count);
    assert(config->policy == NULL || turn_policy_may_follow(config->policy, config));
}

// Joins the commons, or makes some of its own in `memory`.
static void init_commons(struct turn_server *server, void *memory, const struct turn_config *config)
{
    uint8_t seed[TURN_COMMONS_SEED_LEN];

    server->commons = config->commons;
    if (server->commons == NULL) {
        crypto_random_fill(&server->random, seed, sizeof seed);
        server->commons = turn_commons_init(memory, config, NULL, seed);
        crypto_wipe(seed, sizeof seed);
    }
    server->hash_key = server->commons->hash_key;
}

// Follows a policy from now on.
static void follow(struct turn_server *server, const struct turn_policy *policy)
{
    server->policy = policy;
    turn_policy_apply(policy, &server->config);
    turn_stranger_init(&server->stranger, &server->hash_key, server->config.unauthenticated_rate,
                       server->config.shard_count);
}

// Keeps of the configuration what no policy changes. What it lends is the policy's to keep.
static void keep_config(struct turn_server *server, const struct turn_config *config)
{
    server->config = *config;
    server->config.users = NULL;
    server->config.user_count = 0;
    server->config.auth_secrets = NULL;
    server->config.auth_secret_count = 0;
    server->config.stamp_secret = (struct bytes){0};
    server->config.rules = NULL;
    server->config.rule_count = 0;
    server->config.own_addrs = NULL;
    server->config.own_addr_count = 0;
    server->config.policy = NULL;
}

// What nonces tell of the credentials that there are.
static uint32_t features_of(const struct turn_policy *policy)
{
    return turn_credential_has_anonymity(&policy->credential)
               ? STUN_COOKIE_PASSWORD_ALGORITHMS | STUN_COOKIE_USERNAME_ANONYMITY
               : STUN_COOKIE_PASSWORD_ALGORITHMS;
}

// Takes up the policy that is given, or makes one in `memory`.
static void init_policy(struct turn_server *server, void *memory, const struct turn_config *config)
{
    uint8_t seed[SIPHASH_KEY_LEN];

    if (config->policy == NULL) {
        crypto_random_fill(&server->random, seed, sizeof seed);
        server->own_policy = turn_policy_init(memory, config, seed);
        crypto_wipe(seed, sizeof seed);
    }
    follow(server, config->policy != NULL ? config->policy : server->own_policy);
    turn_nonce_init(&server->nonce, server->commons->nonce_secret, features_of(server->policy));
}

struct turn_server *turn_server_init(void *memory, const struct turn_config *config,
                                     const uint8_t seed[TURN_SERVER_SEED_LEN])
{
    struct layout layout = layout_of(config);
    struct turn_server *server = memory;
    uint8_t *base = memory;

    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    check_config(config);
    server->size = layout.end;
    keep_config(server, config);
    crypto_random_init(&server->random, seed);
    init_commons(server, base + layout.commons, config);
    init_policy(server, base + layout.policy, config);
    server->stranger_key.len = STUN_KEY_LEN;
    crypto_random_fill(&server->random, server->stranger_key.bytes, STUN_KEY_LEN);
    turn_expiry_init(&server->expiry, base + layout.expiry, config);
    turn_allocation_store_init(&server->allocations, base + layout.allocations,
                               config->max_allocations);
    turn_permission_store_init(&server->permissions, base + layout.permissions,
                               config->max_permissions);
    turn_channel_store_init(&server->channels, base + layout.channels, config->max_channels);
    turn_path_init(&server->paths);
    turn_limit_store_init(&server->limits, base + layout.limits, config);
    return server;
}

void turn_server_deinit(struct turn_server *server)
{
    crypto_wipe_used(server, server->size);
}

static bool has_commands(const struct turn_server *server)
{
    return !turn_outbox_is_empty(&server->outbox) || !turn_path_is_settled(server);
}

// The contract of turn_server.h: nothing is due, and no command is waiting. What another shard has
// replaced may have come to wait just now.
static void check_turn(const struct turn_server *server, struct now now)
{
    assert(turn_expiry_deadline(&server->expiry) > now.mono_ns);
    assert(!has_commands(server));
    assert(!server->opening.is_open);
}

// A call that may bring commands begins: those of the last one are carried out.
static void begin(struct turn_server *server)
{
    turn_outbox_reset(&server->outbox);
    turn_allocation_free_ports(server);
}

static enum turn_verdict drop(uint64_t *counter)
{
    (*counter)++;
    return TURN_DROP;
}

static enum turn_verdict take_request(struct turn_server *server, struct now now,
                                      const struct turn_tuple *tuple,
                                      const struct stun_message *message, bool is_readable)
{
    begin(server);
    turn_request_handle(server, now, tuple, message, is_readable);
    return has_commands(server) ? TURN_COMMANDS : TURN_DROP;
}

static enum turn_verdict take_stun(struct turn_server *server, struct now now,
                                   const struct turn_tuple *tuple, struct bytes datagram,
                                   struct turn_forward *out)
{
    struct stun_message message = {0};

    switch (stun_message_read(datagram, &message)) {
    case STUN_MESSAGE_OK:
        break;
    case STUN_MESSAGE_BAD_VALUE:
        if (message.header.class == STUN_REQUEST) {
            return take_request(server, now, tuple, &message, false);
        }
        return drop(&server->stats.dropped_malformed);
    case STUN_MESSAGE_NOT_STUN:
    case STUN_MESSAGE_MALFORMED:
    case STUN_MESSAGE_BAD_CHECKSUM:
        return drop(&server->stats.dropped_malformed);
    }
    if (message.header.class == STUN_REQUEST) {
        return take_request(server, now, tuple, &message, true);
    }
    if (message.header.class == STUN_INDICATION && message.header.method == STUN_SEND) {
        return turn_relay_send(server, now, tuple, &message, out);
    }
    return drop(&server->stats.dropped_unexpected);
}

enum turn_verdict turn_server_from_client(struct turn_server *server, struct now now,
                                          const struct turn_tuple *tuple, struct bytes datagram,
                                          struct turn_forward *out)
{
    check_turn(server, now);
    assert(tuple->client.port != 0);
    if (stun_chandata_is_likely(datagram)) {
        return turn_relay_chandata(server, now, tuple, datagram, out);
    }
    if (stun_header_is_likely(datagram)) {
        return take_stun(server, now, tuple, datagram, out);
    }
    return drop(&server->stats.dropped_malformed);
}

enum turn_verdict turn_server_from_peer(struct turn_server *server, struct now now,
                                        struct pool_ref allocation, const struct addr *peer,
                                        struct bytes datagram, struct turn_forward *out)
{
    check_turn(server, now);
    return turn_relay_from_peer(server, now, allocation, peer, datagram, out);
}

enum turn_verdict turn_server_from_shard(struct turn_server *server, struct now now,
                                         const struct addr *from, const struct addr *to,
                                         struct bytes data, struct turn_forward *out)
{
    check_turn(server, now);
    return turn_relay_from_shard(server, now, from, to, data, out);
}

enum turn_verdict turn_server_icmp(struct turn_server *server, struct pool_ref allocation,
                                   const struct addr *peer, const struct stun_icmp *icmp,
                                   struct turn_forward *out)
{
    assert(!has_commands(server));
    return turn_relay_icmp(server, allocation, peer, icmp, out);
}

bool turn_server_take(struct turn_server *server, struct turn_command *out)
{
    if (turn_path_take(server, out) || turn_outbox_take(&server->outbox, out)) {
        return true;
    }
    turn_allocation_free_ports(server); // all that was taken is carried out
    return false;
}

void turn_server_opened(struct turn_server *server, struct now now, struct pool_ref allocation,
                        enum turn_opened opened)
{
    assert(server->opening.is_open);
    assert(server->opening.allocation == allocation.index);
    assert(pool_find(&server->allocations.pool, allocation) != NULL);
    begin(server); // the order to open was the last command
    turn_allocate_opened(server, now, opened);
}

void turn_server_adopt(struct turn_server *server, struct now now, const struct turn_policy *policy)
{
    check_turn(server, now);
    assert(turn_policy_may_follow(policy, &server->config));
    begin(server);
    // A sweep that is on its way goes on by the new rules, which are the same then.
    const bool is_sweep_due = !turn_peers_equal(&server->policy->peers, &policy->peers);
    follow(server, policy);
    turn_nonce_offer(&server->nonce, features_of(policy));
    if (server->own_policy != NULL) {
        turn_policy_deinit(server->own_policy);
        server->own_policy = NULL;
    }
    if (is_sweep_due) {
        turn_sweep_begin(server, now);
    }
}

static void expire(struct turn_server *server, struct now now, enum turn_expiry_kind kind,
                   uint32_t index)
{
    switch (kind) {
    case TURN_EXPIRY_ALLOCATION:
        server->stats.allocations_expired++;
        turn_allocation_delete(server, index, TURN_EVENT_EXPIRED);
        return;
    case TURN_EXPIRY_PERMISSION:
        turn_permission_delete(server, index);
        return;
    case TURN_EXPIRY_CHANNEL:
        turn_channel_expire(server, index, now);
        return;
    case TURN_EXPIRY_KINDS:
        break;
    }
    assert(!"a timer of no kind");
}

// Deletes what users have replaced by allocations in other shards.
static void delete_replaced(struct turn_server *server)
{
    while (turn_outbox_has_room(&server->outbox)) {
        uint32_t index = turn_commons_find_replaced(server->commons, server->config.shard_index);
        if (index == POOL_NONE) {
            return;
        }
        turn_allocation_delete(server, index, TURN_EVENT_REPLACED);
    }
}

void turn_server_tick(struct turn_server *server, struct now now)
{
    enum turn_expiry_kind kind = TURN_EXPIRY_KINDS;
    uint32_t index = 0;

    assert(!has_commands(server));
    assert(!server->opening.is_open);
    begin(server);
    delete_replaced(server);
    turn_sweep_tick(server, now);
    for (int i = 0; i < TURN_SERVER_TICK_MAX && turn_outbox_has_room(&server->outbox) &&
                    turn_expiry_take(&server->expiry, now, &kind, &index);
         i++) {
        expire(server, now, kind, index);
    }
}

uint64_t turn_server_deadline(const struct turn_server *server)
{
    if (turn_commons_has_replaced(server->commons, server->config.shard_index)) {
        return 0;
    }
    const uint64_t expiry_ns = turn_expiry_deadline(&server->expiry);
    const uint64_t sweep_ns = turn_sweep_deadline(server);
    return expiry_ns < sweep_ns ? expiry_ns : sweep_ns;
}

const struct turn_stats *turn_server_stats(const struct turn_server *server)
{
    return &server->stats;
}

struct turn_gauges turn_server_gauges(const struct turn_server *server, struct now now)
{
    struct turn_commons_gauges commons = turn_commons_gauges(server->commons, now);

    return (struct turn_gauges){
        .allocations = server->allocations.pool.used,
        .permissions = server->permissions.pool.used,
        .channels = server->channels.pool.used,
        .timers = server->expiry.heap.count,
        .reservations = commons.reservations,
        .ports_in_use = commons.ports_in_use,
    };
}
