// SPDX-License-Identifier: Apache-2.0
// Compares what the hub says with what the oracle says, and has the world obey the hub.
#pragma once

#include "sim/revtun/hub/world.h"

// The commands of an event, about which the oracle was asked, and of what is due with it.
void judge_event(struct world *w);
// What is due, which the oracle is asked here.
void judge_tick(struct world *w);
// The leases as text against the oracle's. Puts the text where the next hub reads it from.
size_t judge_leases(struct world *w, uint8_t *text, size_t room);
