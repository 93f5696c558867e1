// SPDX-License-Identifier: Apache-2.0
// Lines of agents, right and wrong, and what they mean.
#pragma once

#include "sim/revtun/hub/world.h"

enum { LINES_TEXT_MAX = 5000 }; // bytes

struct line {
    struct oracle_line means;
    char text[LINES_TEXT_MAX]; // with its end
};

void lines_hello(struct world *w, const struct world_agent *agent, size_t wire, struct line *out);
void lines_bind(struct world *w, struct world_agent *agent, const struct world_want *want,
                struct line *out);
void lines_unbind(struct world *w, struct world_agent *agent, const char *name, struct line *out);
void lines_refuse(struct world *w, uint64_t id, struct line *out);
void lines_ping(struct world *w, struct line *out);
void lines_pong(uint64_t n, struct line *out);
void lines_bye(struct world *w, struct line *out);
// One that no honest agent says.
void lines_wrong(struct world *w, struct world_agent *agent, struct line *out);
// Says lines on a control connection, one behind the other.
void lines_say(struct world *w, size_t wire, const struct line *lines, size_t count);
