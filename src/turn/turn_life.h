// SPDX-License-Identifier: Apache-2.0
// What an operator may want to know of an allocation, while it lives and when it ends.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/pool.h"
#include "turn/turn_name.h"
#include "turn/turn_tuple.h"
#include "turn/turn_usage.h"

struct turn_server;

struct turn_life {
    struct pool_ref allocation; // tells this life from others of the same client
    struct turn_tuple tuple;
    struct turn_name name;
    struct addr relayed[2]; // IPv4 and IPv6, as its client was told; ADDR_NONE: it was not granted
    uint64_t started_ns;    // monotonic
    uint64_t expires_ns;    // unless it is refreshed; NEVER once that has happened
    uint16_t permission_count;
    uint16_t channel_count;
    struct turn_usage usage; // by this server; what a fast path relayed, that one knows
};

// Of a LIVE allocation.
struct turn_life turn_life_of(const struct turn_server *server, uint32_t index);

// The next LIVE allocation at or behind *index, which is moved behind it. It looks at no more than
// `bound` places. False, with *out untouched, when there is none in these; then *index is behind
// them, or POOL_NONE at the end of all.
MUST_USE bool turn_life_next(const struct turn_server *server, uint32_t bound, uint32_t *index,
                             struct turn_life *out);
