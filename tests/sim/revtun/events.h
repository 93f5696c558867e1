// SPDX-License-Identifier: Apache-2.0
// What happens in a world: servers come and go, are stopped, fail to dial, and say what they should
// not; clients have more or less patience; and strangers dial reverse ports.
#pragma once

#include "sim/revtun/world.h"

// It is still about somebody who is there.
bool events_is_alive(const struct world *w, const struct world_event *event);
void events_happen(struct world *w, const struct world_event *event);

// Those that the end of a world is made of.
void events_server_leaves(struct world *w, size_t place);
void events_server_goes_on(struct world *w, size_t place);
void events_client_goes(struct world *w, size_t place);
