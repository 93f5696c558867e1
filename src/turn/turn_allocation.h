// SPDX-License-Identifier: Apache-2.0
// Allocations: a client's 5-tuple, its relayed port, and what hangs on the two (RFC 8656 section
// 6).
//
//      OPENING --turn_allocation_opened()--> LIVE --turn_allocation_delete()--> gone
//         \---------------turn_allocation_delete()------------------------------^
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/now.h"
#include "base/pool.h"
#include "base/table.h"
#include "stun/stun_attr.h"
#include "stun/stun_header.h"
#include "turn/turn_command.h"

struct turn_server;

enum turn_allocation_state {
    TURN_ALLOCATION_OPENING, // its socket is being bound; no answer has been given yet
    TURN_ALLOCATION_LIVE,
};

struct turn_allocation {
    struct turn_tuple tuple;
    uint64_t user;                       // the name's keyed hash: who may use it (441)
    struct stun_transaction transaction; // of the Allocate that made it, to know a retransmission
    uint32_t granted_s;                  // the lifetime that it was granted then
    uint8_t token[STUN_ATTR_RESERVATION_LEN]; // the reservation that it was given, if has_token
    uint32_t first_permission;                // head of its list, or POOL_NONE
    uint32_t first_channel;
    uint16_t permission_count;
    uint16_t channel_count;
    uint16_t port;  // relayed; 0 while OPENING
    uint8_t family; // enum addr_family, of the relayed address
    uint8_t state;  // enum turn_allocation_state
    bool has_token;
};

struct turn_allocation_store {
    struct pool pool;
    struct table by_tuple;
};

size_t turn_allocation_store_size(uint32_t capacity);
void turn_allocation_store_init(struct turn_allocation_store *store, void *memory,
                                uint32_t capacity);

struct turn_allocation *turn_allocation_at(const struct turn_server *server, uint32_t index);
// The index of a client's allocation, or POOL_NONE.
uint32_t turn_allocation_find(const struct turn_server *server, const struct turn_tuple *tuple);
// The address that peers see.
struct addr turn_allocation_relayed(const struct turn_server *server,
                                    const struct turn_allocation *allocation);

// Makes an OPENING allocation, without a port and a timer yet. POOL_NONE when all are in use. The
// tuple has none yet.
uint32_t turn_allocation_create(struct turn_server *server, const struct turn_tuple *tuple,
                                enum addr_family family);
// It becomes LIVE, owns the taken port from now on, and expires after `lifetime_s`.
void turn_allocation_opened(struct turn_server *server, uint32_t index, uint16_t port,
                            struct now now, uint32_t lifetime_s);
// Moves the expiry of a LIVE one.
void turn_allocation_refresh(struct turn_server *server, uint32_t index, struct now now,
                             uint32_t lifetime_s);
// Frees it with its permissions, its channels and its port; a LIVE one's socket is ordered closed,
// and `event` reported.
void turn_allocation_delete(struct turn_server *server, uint32_t index, enum turn_event event);
