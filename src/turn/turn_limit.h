// SPDX-License-Identifier: Apache-2.0
// How fast an allocation relays: packets and bytes of application data in a second, each direction
// by itself (as coturn's max-bps has it). What is more is dropped, since a queue would only make
// late what comes too fast.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bucket.h"
#include "base/macro.h"
#include "base/now.h"
#include "turn/turn_config.h"

struct turn_server;

enum turn_limit_way {
    TURN_LIMIT_TO_PEER,
    TURN_LIMIT_TO_CLIENT,
    TURN_LIMIT_WAYS,
};

struct turn_limit {
    struct bucket packets[TURN_LIMIT_WAYS];
    struct bucket bytes[TURN_LIMIT_WAYS];
};

struct turn_limit_store {
    struct bucket_rate packets;
    struct bucket_rate bytes;
    struct turn_limit *limits; // by the allocation's index; NULL when there are none
};

// Nothing without a limit, so that only who sets one pays for it.
size_t turn_limit_store_size(const struct turn_config *config);
void turn_limit_store_init(struct turn_limit_store *store, void *memory,
                           const struct turn_config *config);

// An allocation is new: it may use a second's worth at once.
void turn_limit_reset(struct turn_server *server, uint32_t allocation);

// Takes a packet with so many bytes of data. False, with nothing taken and the drop counted, when
// that is too much.
MUST_USE bool turn_limit_take(struct turn_server *server, struct now now, uint32_t allocation,
                              enum turn_limit_way way, size_t data_len);
