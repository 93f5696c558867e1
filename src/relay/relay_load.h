// SPDX-License-Identifier: Apache-2.0
// The relay's configuration out of all its sources, with the token of a portal, which may stand in
// a file of its own.
#pragma once

#include "daemon/daemon_load.h"
#include "relay/relay_config.h"
#include "relay/relay_token.h"

struct relay_load {
    struct daemon_load daemon;
    struct relay_token token;
};

// Reads all sources. *out borrows from `load` and the sources until relay_load_close(), and is
// complete with DAEMON_LOAD_RUN and _CHECKED only.
MUST_USE enum daemon_load_outcome relay_load_open(struct relay_load *load,
                                                  const struct daemon_load_sources *sources,
                                                  struct relay_config *out);
// As daemon_load_close(), with the token.
void relay_load_close(struct relay_load *load);
