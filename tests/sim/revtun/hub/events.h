// SPDX-License-Identifier: Apache-2.0
// What happens in a world, besides what its agents do.
#pragma once

#include "sim/revtun/hub/world.h"

// An event whose time has come.
void events_happen(struct world *w, const struct world_event *event);
// A hub begins, with the leases that the oracle has.
void events_open_hub(struct world *w);
void events_end_wire(struct world *w, size_t wire);
void events_client_goes(struct world *w, size_t client);
