// SPDX-License-Identifier: Apache-2.0
// The two manners in which one server serves: RFC 8656, and what Firezone's clients expect of
// their relay. A request's manner is found once; an allocation keeps the one of its Allocate.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/bytes.h"

enum turn_manner_kind {
    TURN_MANNER_RFC,
    TURN_MANNER_FIREZONE,
};

struct turn_manner {
    enum turn_manner_kind kind;
    bool has_user_proof;     // refusals are signed too, for any user whose key can be told
    bool has_strict_nonce;   // a bad nonce is 438 before all else; without one it is 401, not 400
    bool has_takeover;       // one allocation per user: a new one replaces the old, wherever it is
    bool has_open_tenure;    // any user may use a client's allocation: 441 never
    bool has_own_channels;   // a channel is its own permission, for the peer's address and port
    bool permits_blindly;    // CreatePermission succeeds without allocation and peers
    bool reaches_private;    // private, shared and unique local addresses are allowed as peers
    uint16_t channel_last;   // the highest channel number
    uint32_t channel_rest_s; // an expired channel keeps its number and peer apart for so long
};

// The realm of Firezone's clients; no other manner may use it while a stamp secret is configured.
extern const struct bytes turn_manner_firezone_realm;

const struct turn_manner *turn_manner_of(enum turn_manner_kind kind);
