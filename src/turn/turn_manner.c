// SPDX-License-Identifier: Apache-2.0
#include "turn/turn_manner.h"

#include <assert.h>

#include "stun/stun_chandata.h"

const struct bytes turn_manner_firezone_realm = BYTES_LITERAL("firezone");

static const struct turn_manner rfc = {
    .kind = TURN_MANNER_RFC,
    .channel_last = STUN_CHANDATA_HIGHEST,
};

static const struct turn_manner firezone = {
    .kind = TURN_MANNER_FIREZONE,
    .has_user_proof = true,
    .has_strict_nonce = true,
    .has_takeover = true,
    .has_open_tenure = true,
    .has_own_channels = true,
    .permits_blindly = true,
    .reaches_private = true,
    .channel_last = 0x4FFF,
    .channel_rest_s = 300,
};

const struct turn_manner *turn_manner_of(enum turn_manner_kind kind)
{
    switch (kind) {
    case TURN_MANNER_RFC:
        return &rfc;
    case TURN_MANNER_FIREZONE:
        return &firezone;
    }
    assert(!"a manner that there is not");
    return &rfc;
}
