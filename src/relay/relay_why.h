// SPDX-License-Identifier: Apache-2.0
// The refusals of a client in words: what it did, what it was told, what that means, what to do.
#pragma once

#include <stdint.h>

#include "base/bytes.h"
#include "relay/relay_refusals.h"

enum {
    RELAY_WHY_MAX = 16,                        // refusals that are told
    RELAY_WHY_TEXT_MAX = 1024 * RELAY_WHY_MAX, // bytes that hold whatever is written
};

// The newest of those that were found, as far as there is room.
struct relay_why {
    struct relay_refusal refusals[RELAY_WHY_MAX]; // the newest first
    uint32_t count;
};

void relay_why_add(struct relay_why *why, const struct relay_refusal *refusal);
// `client` is as it was asked for: port 0 stands for any.
void relay_why_write(struct wr *wr, const struct relay_why *why, const struct addr *client,
                     int64_t wall_s);
