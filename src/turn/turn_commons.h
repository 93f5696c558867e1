// SPDX-License-Identifier: Apache-2.0
// What several servers (shards) that serve one relay have in common: its relayed ports, what each
// user holds and has reserved, how much there is of everything in all, and the keys by which a
// client is known wherever it comes.
//
// Each server runs in a thread of its own and touches this on the control path alone, under a lock
// that the caller provides: held for a few table look-ups, never over a proof of integrity, a
// system call or anything of the caller's. Read without it are which shard relays at a port, and
// whether something waits for a shard.
//
// A user in whose manner a new allocation replaces the old one (turn_manner.h) may have the two in
// different shards. The new one goes on at once and the old one counts no more; the server that has
// it is told, through TURN_COMMAND_WAKE and turn_server_deadline(), and deletes it at its next
// tick.
//
//      COUNTED --turn_commons_enter() for the same user--> REPLACED --turn_commons_leave()--> gone
//         \--------------turn_commons_leave()-------------------------------------------------^
//
// Nothing here has a timer: what has expired is ended before anything is looked for.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/macro.h"
#include "base/now.h"
#include "base/siphash.h"
#include "crypto/crypto_random.h"
#include "turn/turn_config.h"
#include "turn/turn_nonce.h"
#include "turn/turn_ports.h"
#include "turn/turn_quota.h"
#include "turn/turn_refusal.h"
#include "turn/turn_reservation.h"

enum { TURN_COMMONS_SEED_LEN = CRYPTO_RANDOM_SEED_LEN };

#define TURN_COMMONS_NO_SHARD UINT32_MAX

// What keeps the servers apart. Both functions NULL: all servers run in one thread.
struct turn_commons_lock {
    void (*take)(void *context);
    void (*give)(void *context);
    void *context;
};

struct turn_commons;

// Bytes of memory that the commons of all servers of this configuration need, whatever its
// shard_index and commons are. What is not used is not touched.
size_t turn_commons_size(const struct turn_config *config);

// Makes them in `memory`: zeroed, aligned for uint64_t (better: for a cache line),
// turn_commons_size() bytes. `lock` may be NULL. Of the
// configuration the ports, shard_count and all limits count; the servers are to have the same. The
// seed is secret and unpredictable.
struct turn_commons *turn_commons_init(void *memory, const struct turn_config *config,
                                       const struct turn_commons_lock *lock,
                                       const uint8_t seed[TURN_COMMONS_SEED_LEN]);

// Wipes all of its memory. The servers are gone already.
void turn_commons_deinit(struct turn_commons *commons);

// What the relay holds now in all.
struct turn_commons_gauges {
    uint32_t allocations; // those that were replaced count no more
    uint32_t permissions;
    uint32_t channels;
    uint32_t reservations;
    uint32_t users;        // who have any allocation or reservation
    uint32_t ports_in_use; // the resting ones included
};
struct turn_commons_gauges turn_commons_gauges(struct turn_commons *commons, struct now now);

// What it may hold at most.
struct turn_commons_capacity {
    uint32_t allocations;
    uint32_t permissions;
    uint32_t channels;
    uint32_t ports;
};
struct turn_commons_capacity turn_commons_capacity(struct turn_commons *commons);

// From here on no new allocation is made: requests for one are refused (508), and what clients have
// they keep, so that turn_commons_allocations() only falls. For any thread, as often as it likes.
void turn_commons_drain(struct turn_commons *commons);
bool turn_commons_is_draining(const struct turn_commons *commons);
// How many allocations there are in all, without the lock: those that were replaced count no more.
uint32_t turn_commons_allocations(const struct turn_commons *commons);

// For the servers ---------------------------------------------------------------------------------

// What belongs to one shard; as large as a cache line, so that no other shard disturbs who asks.
struct turn_commons_shard {
    uint32_t first_replaced;  // chain of its replaced allocations, or POOL_NONE
    atomic_bool has_replaced; // there are some
    uint8_t zero[59];
};
_Static_assert(sizeof(struct turn_commons_shard) == 64, "a cache line");

struct turn_commons {
    size_t size; // bytes of all its memory, of which this is the first part
    struct turn_commons_lock lock;
    struct siphash_key hash_key;                 // never changes, and so needs no lock
    uint8_t nonce_secret[TURN_NONCE_SECRET_LEN]; // likewise
    uint32_t shard_count;                        // likewise
    uint32_t max_allocations;
    uint32_t max_permissions;
    uint32_t max_channels;
    // Changed under the lock, read without it.
    _Atomic uint32_t allocation_count;
    atomic_bool is_draining;
    uint32_t permission_count;
    uint32_t channel_count;
    struct turn_ports ports;
    struct turn_quota_store quotas;
    struct turn_reservation_store reservations;
    struct turn_commons_shard *shards;
    // By port: 0 when nothing is relayed there; else the families (a set, turn_allocation.h) below
    // one plus the shard. Written by the shard that has the port.
    _Atomic uint16_t *relayed;
};

// What an allocation needs of the commons.
struct turn_commons_wish {
    uint64_t user;
    uint32_t shard;
    uint32_t allocation; // the index that it will have there; POOL_NONE: there is no place left
    uint32_t user_quota; // how much the user may have in all
    bool has_takeover;   // it replaces the user's old one, which is in another shard if anywhere
    enum turn_ports_wish port;
    uint16_t leaving; // a port of the shard's whose socket goes before: if none is free; 0: none
    bool has_token;   // the port is a reserved one
    struct bytes token;
};

struct turn_commons_grant {
    uint32_t holding;     // its name for turn_commons_leave()
    uint16_t port;        // perhaps the one that was leaving
    uint8_t family;       // has_token: of the allocation with which the port was reserved
    uint32_t reservation; // TURN_PORTS_PAIR: a place for it, else POOL_NONE
};

enum turn_commons_outcome {
    TURN_COMMONS_GRANTED,
    TURN_COMMONS_DRAINING,     // there are to be no more
    TURN_COMMONS_USER_QUOTA,   // the user has all that a user may have
    TURN_COMMONS_ALLOCATIONS,  // all allocations are in use
    TURN_COMMONS_RESERVATIONS, // all reservations are in use
    TURN_COMMONS_TOKEN,        // there is no such reservation of this user
    TURN_COMMONS_PORTS,        // no fitting port is free
};

// The allocation of a user in a shard that a new one there replaces: its index, or POOL_NONE.
uint32_t turn_commons_find(struct turn_commons *commons, uint64_t user, uint32_t shard);

// Counts a new allocation and takes its port and the place of its reservation, all or nothing.
// Whatever the outcome but TURN_COMMONS_DRAINING, the user's old allocation counts no more if the
// new one was to replace it; then *woken is the shard that has it, and untouched otherwise. *out is
// written with TURN_COMMONS_GRANTED only.
MUST_USE enum turn_commons_outcome turn_commons_enter(struct turn_commons *commons, struct now now,
                                                      struct crypto_random *random,
                                                      const struct turn_commons_wish *wish,
                                                      struct turn_commons_grant *out,
                                                      uint32_t *woken);
// An allocation is gone; its port is given back apart from it.
void turn_commons_leave(struct turn_commons *commons, uint32_t holding);

// Allocations of a shard were replaced, and are to be deleted by it. Reads without the lock.
bool turn_commons_has_replaced(const struct turn_commons *commons, uint32_t shard);
// The index of one of them, or POOL_NONE. It is found until it has left.
uint32_t turn_commons_find_replaced(struct turn_commons *commons, uint32_t shard);

// Offers the port for which there is a place, or drops the place.
void turn_commons_offer(struct turn_commons *commons, struct now now, uint32_t reservation,
                        uint16_t port, uint8_t family,
                        const uint8_t token[STUN_ATTR_RESERVATION_LEN]);
void turn_commons_drop(struct turn_commons *commons, uint32_t reservation);

// As turn_ports.h has them.
MUST_USE bool turn_commons_take_port(struct turn_commons *commons, struct now now,
                                     enum turn_ports_wish wish, struct crypto_random *random,
                                     uint16_t *out);
void turn_commons_give_port(struct turn_commons *commons, uint16_t port);
void turn_commons_rest_port(struct turn_commons *commons, uint16_t port, struct now now);

// Counts permissions and channels, all or nothing: TURN_REFUSAL_NONE, or which of the two are all
// in use.
MUST_USE enum turn_refusal turn_commons_claim(struct turn_commons *commons, uint32_t permissions,
                                              uint32_t channels);
void turn_commons_release(struct turn_commons *commons, uint32_t permissions, uint32_t channels);

// Without the lock: a shard relays at a port of its own for these families; 0: no more.
void turn_commons_relay(struct turn_commons *commons, uint16_t port, uint32_t shard,
                        uint8_t families);
// The shard that relays at a port for a family, or TURN_COMMONS_NO_SHARD.
uint32_t turn_commons_relayed_by(const struct turn_commons *commons, uint16_t port,
                                 uint8_t family_bit);
