// SPDX-License-Identifier: Apache-2.0
// Reservations: ports held for a later Allocate, for which a token proves the right (RFC 8656
// sections 7.2 and 18.10: EVEN-PORT with the R bit, RESERVATION-TOKEN).
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "base/now.h"
#include "base/pool.h"
#include "base/table.h"
#include "stun/stun_attr.h"

struct turn_server;

struct turn_reservation {
    uint8_t token[STUN_ATTR_RESERVATION_LEN]; // random
    uint64_t user;                            // whose it is: nobody else may redeem it
    uint16_t port;
    uint8_t family; // enum addr_family, of the allocation with which it was made
    uint8_t zero[5];
};

struct turn_reservation_store {
    struct pool pool;
    struct table by_token;
};

size_t turn_reservation_store_size(uint32_t capacity);
void turn_reservation_store_init(struct turn_reservation_store *store, void *memory,
                                 uint32_t capacity);

bool turn_reservation_has_room(const struct turn_server *server);
// Holds a taken port, and writes the token (there is room).
void turn_reservation_make(struct turn_server *server, uint64_t user, uint16_t port, uint8_t family,
                           struct now now, uint8_t token[STUN_ATTR_RESERVATION_LEN]);
// Ends a user's reservation and hands out its port, which stays taken. False when there is none.
MUST_USE bool turn_reservation_redeem(struct turn_server *server, uint64_t user, struct bytes token,
                                      uint16_t *port, uint8_t *family);
// Ends a reservation that nobody redeemed, and gives its port back.
void turn_reservation_expire(struct turn_server *server, uint32_t index);
