// SPDX-License-Identifier: Apache-2.0
// As much of a username as is kept beside an allocation, to tell an operator whose it is.
//
// It is the name in plain text, also of who hides it from the network by USERHASH: the relay knows
// it from its own configuration.
#pragma once

#include <stdint.h>

#include "base/bytes.h"

enum {
    // "EXPIRY:NAME" with a UUID fits. Longer ones end in U+2026.
    TURN_NAME_MAX = 47, // bytes
};

struct turn_name {
    uint8_t text[TURN_NAME_MAX];
    uint8_t len;
};

struct turn_name turn_name_of(struct bytes username);
// Borrowed from `name`.
struct bytes turn_name_bytes(const struct turn_name *name);
