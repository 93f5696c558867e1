// SPDX-License-Identifier: Apache-2.0
// Compares what the core says with what the oracle says, and has the world obey the core.
#pragma once

#include "sim/revtun/world.h"

// The commands of an event, about which the oracle was asked.
void judge_event(struct world *w);
// What is due, which the oracle is asked here.
void judge_tick(struct world *w);
// The gauges and the deadline.
void judge_state(const struct world *w);
