// SPDX-License-Identifier: Apache-2.0
// Channels: two-byte names for peers of an allocation (RFC 8656 section 12).
//
//      BOUND --turn_channel_expire()--> RESTING --turn_channel_expire()--> gone
//         ^--------turn_channel_refresh()----'       (where there is no rest: BOUND to gone)
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/chain.h"
#include "base/now.h"
#include "base/pool.h"
#include "base/table.h"
#include "turn/turn_refusal.h"

struct turn_server;

// What turn_path.h keeps of a channel; a set.
enum {
    TURN_CHANNEL_OPEN = 1,    // the fast path has it
    TURN_CHANNEL_TOUCHED = 2, // in the queue, linked by next_touched
    TURN_CHANNEL_DELETED = 4, // held only until the fast path has let it go
};

struct turn_channel {
    struct chain_link link; // in the allocation's list
    uint32_t allocation;    // index
    struct addr peer;
    uint16_t number; // stun_chandata.h says which there are
    bool is_resting; // expired: no data any more, but number and peer are still kept apart
    uint8_t path;    // a set: TURN_CHANNEL_OPEN and so on
    uint32_t next_touched;
};

struct turn_channel_store {
    struct pool pool;
    struct table by_number; // keyed by allocation and number
    struct table by_peer;   // keyed by allocation and peer transport address
};

size_t turn_channel_store_size(uint32_t capacity);
void turn_channel_store_init(struct turn_channel_store *store, void *memory, uint32_t capacity);

struct turn_channel *turn_channel_at(const struct turn_server *server, uint32_t index);
// The index of an allocation's channel, or POOL_NONE.
uint32_t turn_channel_find(const struct turn_server *server, uint32_t allocation, uint16_t number);
uint32_t turn_channel_find_peer(const struct turn_server *server, uint32_t allocation,
                                const struct addr *peer);
// Binds a number and a peer, neither of which is bound. TURN_REFUSAL_NONE, or which limit is in the
// way of one more.
MUST_USE enum turn_refusal turn_channel_create(struct turn_server *server, uint32_t allocation,
                                               uint16_t number, const struct addr *peer,
                                               struct now now);
void turn_channel_refresh(struct turn_server *server, uint32_t index, struct now now);
// Its time is over: it rests as long as its allocation's manner says, or is freed.
void turn_channel_expire(struct turn_server *server, uint32_t index, struct now now);
void turn_channel_delete(struct turn_server *server, uint32_t index);
