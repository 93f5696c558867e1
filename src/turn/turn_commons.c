// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_commons.h"

#include <assert.h>
#include <string.h>

#include "base/layout.h"
#include "crypto/crypto_wipe.h"

enum {
    PORT_COUNT = 65536,
    FAMILY_BITS = 2,
    FAMILY_MASK = (1 << FAMILY_BITS) - 1,
};
_Static_assert((TURN_CONFIG_SHARDS_MAX + 1) << FAMILY_BITS <= UINT16_MAX, "they fit in 16 bits");
_Static_assert(ATOMIC_SHORT_LOCK_FREE == 2, "ports are looked up without any lock");
_Static_assert(ATOMIC_BOOL_LOCK_FREE == 2, "likewise");
_Static_assert(ATOMIC_INT_LOCK_FREE == 2, "allocations are counted without any lock");

// The parts of its memory, in their order.
struct layout {
    size_t ports;
    size_t quotas;
    size_t reservations;
    size_t shards;
    size_t relayed;
    size_t end;
};

// Each thing that counts may be another user's.
static uint32_t user_capacity(const struct turn_config *config)
{
    return config->max_allocations + config->max_reservations;
}

// Each shard has places for all allocations: those that are replaced keep theirs for a while.
static uint32_t holding_capacity(const struct turn_config *config)
{
    assert(config->max_allocations < POOL_NONE / config->shard_count);
    return config->max_allocations * config->shard_count;
}

static struct layout layout_of(const struct turn_config *config)
{
    struct layout layout = {0};
    size_t *end = &layout.end;

    (void)layout_place(end, sizeof(struct turn_commons));
    layout.ports = layout_place(end, turn_ports_size());
    layout.quotas =
        layout_place(end, turn_quota_store_size(user_capacity(config), holding_capacity(config)));
    layout.reservations = layout_place(end, turn_reservation_store_size(config->max_reservations));
    layout.shards = layout_place(end, config->shard_count * sizeof(struct turn_commons_shard));
    layout.relayed = layout_place(end, PORT_COUNT * sizeof(_Atomic uint16_t));
    return layout;
}

size_t turn_commons_size(const struct turn_config *config)
{
    return layout_of(config).end;
}

static void init_keys(struct turn_commons *commons, const uint8_t seed[TURN_COMMONS_SEED_LEN])
{
    uint8_t raw[SIPHASH_KEY_LEN];
    struct crypto_random random;

    crypto_random_init(&random, seed);
    crypto_random_fill(&random, raw, sizeof raw);
    commons->hash_key = siphash_key_read(raw);
    crypto_random_fill(&random, commons->nonce_secret, sizeof commons->nonce_secret);
    crypto_wipe(raw, sizeof raw);
    crypto_wipe(&random, sizeof random);
}

struct turn_commons *turn_commons_init(void *memory, const struct turn_config *config,
                                       const struct turn_commons_lock *lock,
                                       const uint8_t seed[TURN_COMMONS_SEED_LEN])
{
    struct layout layout = layout_of(config);
    struct turn_commons *commons = memory;
    uint8_t *base = memory;

    assert((uintptr_t)memory % sizeof(uint64_t) == 0);
    assert(config->shard_count >= 1);
    assert(config->shard_count <= TURN_CONFIG_SHARDS_MAX);
    assert(lock == NULL || (lock->take == NULL) == (lock->give == NULL));
    commons->size = layout.end;
    commons->lock = lock != NULL ? *lock : (struct turn_commons_lock){0};
    commons->shard_count = config->shard_count;
    commons->max_allocations = config->max_allocations;
    commons->max_permissions = config->max_permissions;
    commons->max_channels = config->max_channels;
    init_keys(commons, seed);
    turn_ports_init(&commons->ports, base + layout.ports, config->lowest_port,
                    config->highest_port);
    turn_quota_store_init(&commons->quotas, base + layout.quotas, user_capacity(config),
                          holding_capacity(config));
    turn_reservation_store_init(&commons->reservations, base + layout.reservations,
                                config->max_reservations, &commons->hash_key);
    commons->shards = (void *)(base + layout.shards);
    for (uint32_t i = 0; i < config->shard_count; i++) {
        commons->shards[i].first_replaced = POOL_NONE;
    }
    commons->relayed = (void *)(base + layout.relayed);
    return commons;
}

void turn_commons_deinit(struct turn_commons *commons)
{
    crypto_wipe_used(commons, commons->size);
}

static void take(struct turn_commons *commons)
{
    if (commons->lock.take != NULL) {
        commons->lock.take(commons->lock.context);
    }
}

static void give(struct turn_commons *commons)
{
    if (commons->lock.give != NULL) {
        commons->lock.give(commons->lock.context);
    }
}

// Ends what has expired.
static void settle(struct turn_commons *commons, struct now now)
{
    struct turn_reservation over;

    turn_ports_settle(&commons->ports, now);
    while (turn_reservation_expire(&commons->reservations, now, &over)) {
        turn_quota_release(&commons->quotas, over.user);
        turn_ports_give(&commons->ports, over.port);
    }
}

struct turn_commons_gauges turn_commons_gauges(struct turn_commons *commons, struct now now)
{
    take(commons);
    settle(commons, now);
    struct turn_commons_gauges gauges = {
        .allocations = commons->allocation_count,
        .permissions = commons->permission_count,
        .channels = commons->channel_count,
        .reservations = commons->reservations.pool.used,
        .users = commons->quotas.users.used,
        .ports_in_use = commons->ports.total - turn_ports_free_count(&commons->ports),
    };
    give(commons);
    return gauges;
}

struct turn_commons_capacity turn_commons_capacity(struct turn_commons *commons)
{
    take(commons);
    const struct turn_commons_capacity capacity = {
        .allocations = commons->max_allocations,
        .permissions = commons->max_permissions,
        .channels = commons->max_channels,
        .ports = commons->ports.total,
    };
    give(commons);
    return capacity;
}

void turn_commons_drain(struct turn_commons *commons)
{
    take(commons); // what is being granted is counted before anybody looks whether there is more
    atomic_store_explicit(&commons->is_draining, true, memory_order_release);
    give(commons);
}

bool turn_commons_is_draining(const struct turn_commons *commons)
{
    return atomic_load_explicit(&commons->is_draining, memory_order_acquire);
}

uint32_t turn_commons_allocations(const struct turn_commons *commons)
{
    return atomic_load_explicit(&commons->allocation_count, memory_order_acquire);
}

// --- allocations --------------------------------------------------------------------------------

uint32_t turn_commons_find(struct turn_commons *commons, uint64_t user, uint32_t shard)
{
    uint32_t found = POOL_NONE;

    take(commons);
    uint32_t first = turn_quota_first(&commons->quotas, user);
    if (first != POOL_NONE && turn_quota_at(&commons->quotas, first)->shard == shard) {
        found = turn_quota_at(&commons->quotas, first)->allocation;
    }
    give(commons);
    return found;
}

static void set_first_replaced(struct turn_commons_shard *shard, uint32_t first)
{
    shard->first_replaced = first;
    atomic_store_explicit(&shard->has_replaced, first != POOL_NONE, memory_order_release);
}

// What the user has in another shard counts no more, and is to be deleted there.
static void replace(struct turn_commons *commons, const struct turn_commons_wish *wish,
                    uint32_t *woken)
{
    struct turn_quota_store *quotas = &commons->quotas;
    uint32_t old = turn_quota_first(quotas, wish->user);

    if (!wish->has_takeover || old == POOL_NONE) {
        return;
    }
    uint32_t shard = turn_quota_at(quotas, old)->shard;
    assert(shard != wish->shard); // its server has deleted that itself
    turn_quota_replace(quotas, old);
    assert(turn_quota_first(quotas, wish->user) == POOL_NONE);
    assert(commons->allocation_count > 0);
    commons->allocation_count--;
    uint32_t first = commons->shards[shard].first_replaced;
    chain_add(&quotas->holdings, &first, old);
    set_first_replaced(&commons->shards[shard], first);
    *woken = shard;
}

// How much more the user holds afterwards: a reserved port counts like an allocation, or a user
// could hold one port after the other by allocating and letting go.
static uint32_t new_count(const struct turn_commons_wish *wish)
{
    if (wish->has_token) {
        return 0; // which was counted when it was reserved
    }
    return wish->port == TURN_PORTS_PAIR ? 2 : 1;
}

static enum turn_commons_outcome check_room(const struct turn_commons *commons,
                                            const struct turn_commons_wish *wish)
{
    uint32_t held_count = turn_quota_count(&commons->quotas, wish->user);

    if (held_count + new_count(wish) > wish->user_quota) {
        return TURN_COMMONS_USER_QUOTA;
    }
    if (wish->allocation == POOL_NONE || commons->allocation_count == commons->max_allocations) {
        return TURN_COMMONS_ALLOCATIONS;
    }
    if (wish->port == TURN_PORTS_PAIR && !turn_reservation_has_room(&commons->reservations)) {
        return TURN_COMMONS_RESERVATIONS;
    }
    return TURN_COMMONS_GRANTED;
}

// The leaving port is the shard's still, so that nobody else has it meanwhile. It is not taken
// before a free one, since the system may not have let its socket go.
static bool take_port(struct turn_commons *commons, struct crypto_random *random,
                      const struct turn_commons_wish *wish, uint16_t *out)
{
    const bool is_fitting =
        wish->port == TURN_PORTS_ANY || (wish->port == TURN_PORTS_EVEN && wish->leaving % 2 == 0);

    if (turn_ports_take(&commons->ports, wish->port, random, out)) {
        return true;
    }
    if (wish->leaving == 0 || !is_fitting) {
        return false;
    }
    *out = wish->leaving;
    return true;
}

static enum turn_commons_outcome grant(struct turn_commons *commons, struct crypto_random *random,
                                       const struct turn_commons_wish *wish,
                                       struct turn_commons_grant *out)
{
    struct turn_commons_grant grant = {.reservation = POOL_NONE};
    struct turn_reservation redeemed = {0};
    enum turn_commons_outcome outcome = check_room(commons, wish);

    if (outcome != TURN_COMMONS_GRANTED) {
        return outcome;
    }
    if (wish->has_token) {
        if (!turn_reservation_redeem(&commons->reservations, wish->user, wish->token, &redeemed)) {
            return TURN_COMMONS_TOKEN;
        }
        turn_quota_release(&commons->quotas, wish->user);
        grant.port = redeemed.port;
        grant.family = redeemed.family;
    } else if (!take_port(commons, random, wish, &grant.port)) {
        return TURN_COMMONS_PORTS;
    }
    if (wish->port == TURN_PORTS_PAIR) {
        grant.reservation = turn_reservation_hold(&commons->reservations, wish->user);
        turn_quota_reserve(&commons->quotas, wish->user);
    }
    grant.holding = turn_quota_enter(&commons->quotas, wish->user, wish->shard, wish->allocation);
    commons->allocation_count++;
    *out = grant;
    return TURN_COMMONS_GRANTED;
}

enum turn_commons_outcome turn_commons_enter(struct turn_commons *commons, struct now now,
                                             struct crypto_random *random,
                                             const struct turn_commons_wish *wish,
                                             struct turn_commons_grant *out, uint32_t *woken)
{
    assert(wish->shard < commons->shard_count);
    assert(!wish->has_token || wish->port == TURN_PORTS_ANY);
    enum turn_commons_outcome outcome = TURN_COMMONS_DRAINING;
    take(commons);
    settle(commons, now);
    if (!turn_commons_is_draining(commons)) {
        replace(commons, wish, woken);
        outcome = grant(commons, random, wish, out);
    }
    give(commons);
    return outcome;
}

// Takes one that was replaced out of its shard's chain.
static void unchain(struct turn_commons *commons, uint32_t holding)
{
    const struct turn_quota_holding *replaced = turn_quota_at(&commons->quotas, holding);
    struct turn_commons_shard *shard = &commons->shards[replaced->shard];
    uint32_t first = shard->first_replaced;

    assert(replaced->is_replaced);
    chain_remove(&commons->quotas.holdings, &first, holding);
    set_first_replaced(shard, first);
}

void turn_commons_leave(struct turn_commons *commons, uint32_t holding)
{
    take(commons);
    if (turn_quota_at(&commons->quotas, holding)->is_replaced) {
        unchain(commons, holding);
    } else {
        assert(commons->allocation_count > 0);
        commons->allocation_count--;
    }
    turn_quota_leave(&commons->quotas, holding);
    give(commons);
}

bool turn_commons_has_replaced(const struct turn_commons *commons, uint32_t shard)
{
    return atomic_load_explicit(&commons->shards[shard].has_replaced, memory_order_acquire);
}

uint32_t turn_commons_find_replaced(struct turn_commons *commons, uint32_t shard)
{
    uint32_t found = POOL_NONE;

    if (!turn_commons_has_replaced(commons, shard)) {
        return POOL_NONE;
    }
    take(commons);
    uint32_t first = commons->shards[shard].first_replaced;
    if (first != POOL_NONE) {
        found = turn_quota_at(&commons->quotas, first)->allocation;
    }
    give(commons);
    return found;
}

// --- ports and reservations ---------------------------------------------------------------------

void turn_commons_offer(struct turn_commons *commons, struct now now, uint32_t reservation,
                        uint16_t port, uint8_t family,
                        const uint8_t token[STUN_ATTR_RESERVATION_LEN])
{
    take(commons);
    turn_reservation_offer(&commons->reservations, reservation, now, port, family, token);
    give(commons);
}

void turn_commons_drop(struct turn_commons *commons, uint32_t reservation)
{
    take(commons);
    turn_quota_release(&commons->quotas,
                       turn_reservation_drop(&commons->reservations, reservation));
    give(commons);
}

bool turn_commons_take_port(struct turn_commons *commons, struct now now, enum turn_ports_wish wish,
                            struct crypto_random *random, uint16_t *out)
{
    take(commons);
    settle(commons, now);
    bool is_taken = turn_ports_take(&commons->ports, wish, random, out);
    give(commons);
    return is_taken;
}

void turn_commons_give_port(struct turn_commons *commons, uint16_t port)
{
    take(commons);
    turn_ports_give(&commons->ports, port);
    give(commons);
}

void turn_commons_rest_port(struct turn_commons *commons, uint16_t port, struct now now)
{
    take(commons);
    turn_ports_rest(&commons->ports, port, now);
    give(commons);
}

// --- permissions and channels -------------------------------------------------------------------

enum turn_refusal turn_commons_claim(struct turn_commons *commons, uint32_t permissions,
                                     uint32_t channels)
{
    enum turn_refusal refusal = TURN_REFUSAL_NONE;

    take(commons);
    if (commons->max_channels - commons->channel_count < channels) {
        refusal = TURN_REFUSAL_CHANNELS;
    } else if (commons->max_permissions - commons->permission_count < permissions) {
        refusal = TURN_REFUSAL_PERMISSIONS;
    } else {
        commons->permission_count += permissions;
        commons->channel_count += channels;
    }
    give(commons);
    return refusal;
}

void turn_commons_release(struct turn_commons *commons, uint32_t permissions, uint32_t channels)
{
    take(commons);
    assert(commons->permission_count >= permissions);
    assert(commons->channel_count >= channels);
    commons->permission_count -= permissions;
    commons->channel_count -= channels;
    give(commons);
}

// --- read without the lock ----------------------------------------------------------------------

void turn_commons_relay(struct turn_commons *commons, uint16_t port, uint32_t shard,
                        uint8_t families)
{
    uint32_t entry = families != 0 ? (shard + 1) << FAMILY_BITS | families : 0;

    assert(shard < commons->shard_count);
    assert((families & ~FAMILY_MASK) == 0);
    atomic_store_explicit(&commons->relayed[port], (uint16_t)entry, memory_order_release);
}

uint32_t turn_commons_relayed_by(const struct turn_commons *commons, uint16_t port,
                                 uint8_t family_bit)
{
    uint32_t entry = atomic_load_explicit(&commons->relayed[port], memory_order_acquire);
    return (entry & family_bit) != 0 ? (entry >> FAMILY_BITS) - 1 : TURN_COMMONS_NO_SHARD;
}
