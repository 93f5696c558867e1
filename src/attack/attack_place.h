// SPDX-License-Identifier: Apache-2.0
// Addresses to which nothing may be relayed, and whether a server refuses them.
#pragma once

#include "talk/talk.h"

enum { ATTACK_PLACES_MAX = 12 }; // in one check

// Asks for each of the addresses, by CreatePermission and by ChannelBind, of an allocation that the
// client that speaks has. Those that are granted are a finding. The peers' own address, which this
// inquiry has been allowed, is left out, and the relayed one; so is CreatePermission where it
// succeeds whatever it says.
void attack_place_try(struct talk *talk, const char *const *places, size_t count);

// The server binds a channel to this one. That it does is no verdict.
bool attack_place_is_bound(struct talk *talk, const struct addr *addr);
