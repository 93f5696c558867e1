// SPDX-License-Identifier: Apache-2.0
// Those who have shown nothing yet and take a place each: who of them has to go when one more
// comes.
//
// There is so much room, of which one address (over IPv6, its /64) has a share: when it has that
// its own oldest one goes, and when all is taken the oldest of all. So nobody keeps others out who
// come from elsewhere. The places are the owner's, and numbered by him.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/macro.h"

enum { TUNNEL_CROWD_NOBODY = UINT32_MAX };

struct tunnel_crowd_place {
    struct addr origin;
    uint64_t joined_count; // how many came before: who is older
    uint32_t at;           // in `members`
};

struct tunnel_crowd {
    struct tunnel_crowd_place *places; // by number
    uint32_t *members;                 // their numbers, in no order
    uint32_t count;
    uint32_t max;
    uint32_t address_max;
    uint64_t joined_count;
};

// Of numbers below `max`, all of which may be in it. It is all zero before. 0 or -ENOMEM.
MUST_USE int tunnel_crowd_open(struct tunnel_crowd *crowd, uint32_t max, uint32_t address_max);
// Closing twice, or what is all zero, does nothing.
void tunnel_crowd_close(struct tunnel_crowd *crowd);

// Who is to leave before another one from there joins, or TUNNEL_CROWD_NOBODY.
uint32_t tunnel_crowd_displaced(const struct tunnel_crowd *crowd, const struct addr *from);
// There is room, and this number is not in it.
void tunnel_crowd_join(struct tunnel_crowd *crowd, uint32_t number, const struct addr *from);
void tunnel_crowd_leave(struct tunnel_crowd *crowd, uint32_t number);
// One who is in it, or TUNNEL_CROWD_NOBODY.
uint32_t tunnel_crowd_any(const struct tunnel_crowd *crowd);
