// SPDX-License-Identifier: Apache-2.0
// Reservations: ports held for a later Allocate, for which a token proves the right (RFC 8656
// sections 7.2 and 18.10: EVEN-PORT with the R bit, RESERVATION-TOKEN).
//
//      HELD --turn_reservation_offer()--> OFFERED --turn_reservation_redeem(), _expire()--> gone
//        \-----------turn_reservation_drop()-----------------------------------------------^
//
// All live equally long, so that the one that was offered first expires first.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/chain.h"
#include "base/macro.h"
#include "base/now.h"
#include "base/pool.h"
#include "base/siphash.h"
#include "base/table.h"
#include "stun/stun_attr.h"

// From the Allocate with EVEN-PORT (RFC 8656 section 7.2).
#define TURN_RESERVATION_LIFETIME_NS (30 * SECOND_NS)

// What it is made of; a copy is handed out when it ends.
struct turn_reservation {
    struct chain_link link;                   // of those that are offered, the newest in front
    uint8_t token[STUN_ATTR_RESERVATION_LEN]; // random
    uint64_t user;                            // whose it is: nobody else may redeem it
    uint64_t until_ns;
    uint16_t port;
    uint8_t family;  // enum addr_family, of the allocation with which it was made
    bool is_offered; // else only its place is held, while the sockets are opened
    uint8_t zero[4];
};

struct turn_reservation_store {
    struct siphash_key hash_key;
    struct pool pool;
    struct table by_token;
    uint32_t newest; // or POOL_NONE
    uint32_t oldest;
};

size_t turn_reservation_store_size(uint32_t capacity);
void turn_reservation_store_init(struct turn_reservation_store *store, void *memory,
                                 uint32_t capacity, const struct siphash_key *hash_key);

bool turn_reservation_has_room(const struct turn_reservation_store *store);
// Holds the place of one for a user (there is room).
uint32_t turn_reservation_hold(struct turn_reservation_store *store, uint64_t user);
// Gives up a place that is only held; says whose it was.
uint64_t turn_reservation_drop(struct turn_reservation_store *store, uint32_t index);
// From now on the token redeems it; it becomes the newest.
void turn_reservation_offer(struct turn_reservation_store *store, uint32_t index, struct now now,
                            uint16_t port, uint8_t family,
                            const uint8_t token[STUN_ATTR_RESERVATION_LEN]);
// Ends a user's reservation and hands out its port, which stays taken. False when there is none.
MUST_USE bool turn_reservation_redeem(struct turn_reservation_store *store, uint64_t user,
                                      struct bytes token, struct turn_reservation *out);
// Ends one whose time is over and that nobody redeemed. False when there is none.
MUST_USE bool turn_reservation_expire(struct turn_reservation_store *store, struct now now,
                                      struct turn_reservation *out);
