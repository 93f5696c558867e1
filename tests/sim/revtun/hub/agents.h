// SPDX-License-Identifier: Apache-2.0
// What the agents of the world do: honest ones, slow ones, and those that cheat.
#pragma once

#include "sim/revtun/hub/world.h"

// Makes the agents that there are.
void agents_found(struct world *w);
// The hub has said a line.
void agents_are_told(struct world *w, size_t wire, const char *line);
// The hub has closed a control connection.
void agents_are_closed(struct world *w, size_t wire);

void agents_come(struct world *w, size_t agent);
// An agent's control connection is lost to it; the hub learns of it now, later, or not at all.
void agents_break(struct world *w, size_t agent);
void agents_act(struct world *w, size_t agent);
void agents_bind(struct world *w, size_t wire, size_t want);
// It reads a line.
void agents_hear(struct world *w, size_t wire, const char *line);
// A data connection of it arrives.
void agents_dial(struct world *w, const struct world_event *event);
void agents_stop(struct world *w, size_t agent);
