// SPDX-License-Identifier: Apache-2.0
// When the things that a server holds expire: one heap of deadlines for all of them.
//
// The timers of a server, all of them:
//   allocation    its lifetime, 600 s or as granted; Refresh moves it (RFC 8656 section 8.2)
//   permission    300 s from the CreatePermission or ChannelBind (section 9)
//   channel       600 s from the ChannelBind (section 12), then the rest of its manner
// What belongs to the whole relay has no timer (turn_commons.h): reserved ports and refused ones.
#pragma once

#include <stdint.h>

#include "base/heap.h"
#include "base/now.h"
#include "turn/turn_config.h"

#define TURN_EXPIRY_PERMISSION_NS (300 * SECOND_NS)
#define TURN_EXPIRY_CHANNEL_NS (600 * SECOND_NS)

enum turn_expiry_kind {
    TURN_EXPIRY_ALLOCATION,
    TURN_EXPIRY_PERMISSION,
    TURN_EXPIRY_CHANNEL,
    TURN_EXPIRY_KINDS, // how many there are
};

struct turn_expiry {
    struct heap heap;
    uint32_t first[TURN_EXPIRY_KINDS + 1]; // by kind: its first timer; the last entry is the end
};

size_t turn_expiry_size(const struct turn_config *config);
void turn_expiry_init(struct turn_expiry *expiry, void *memory, const struct turn_config *config);

// Sets or moves the deadline of the `index`th thing of a kind.
void turn_expiry_set(struct turn_expiry *expiry, enum turn_expiry_kind kind, uint32_t index,
                     uint64_t deadline_ns);
void turn_expiry_clear(struct turn_expiry *expiry, enum turn_expiry_kind kind, uint32_t index);
// That deadline, or NEVER when there is none.
uint64_t turn_expiry_at(const struct turn_expiry *expiry, enum turn_expiry_kind kind,
                        uint32_t index);
// The earliest of all.
uint64_t turn_expiry_deadline(const struct turn_expiry *expiry);
// Takes one thing that is due. False when none is.
MUST_USE bool turn_expiry_take(struct turn_expiry *expiry, struct now now,
                               enum turn_expiry_kind *kind, uint32_t *index);
