// SPDX-License-Identifier: Apache-2.0
// The portal thread: keeps the relay joined to its portal, beside the workers, and leaves it when
// the relay drains.
//
// Nobody waits for it while it runs, and it waits for nobody: the look-up of a name may hold it up,
// and nothing else does.
#pragma once

#include <stdbool.h>

#include "io/io_thread.h"
#include "portal_link/portal_link.h"
#include "relay/relay_config.h"
#include "relay/relay_status.h"

enum {
    RELAY_PORTAL_SECRET_LEN = 64, // characters: 32 random bytes in hexadecimal
    RELAY_PORTAL_STOP_S = 3,      // to leave the channel, and the connection
};

struct relay_portal {
    struct portal_link link;
    struct relay_status *status;
    struct io_thread thread;
    bool is_open; // there is a portal
};

// For a configuration with a token and without a stamp secret: makes one up, which stays in
// `secret`.
void relay_portal_make_secret(struct relay_config *config, uint8_t secret[RELAY_PORTAL_SECRET_LEN]);

// Without a token in `config` there is no portal, and nothing below does anything. `config` is
// borrowed until this returns; `status` outlives it. Logs what fails; 0 or -errno.
MUST_USE int relay_portal_open(struct relay_portal *portal, const struct relay_config *config,
                               struct relay_status *status);
// 0 or -errno, which is logged.
MUST_USE int relay_portal_start(struct relay_portal *portal);

// Has it leave the portal, so that clients are sent elsewhere. Returns at once.
void relay_portal_leave(struct relay_portal *portal);
// The same, and waits until it has; but not for a name that is just being looked up.
void relay_portal_stop(struct relay_portal *portal);
// After stopping. Wipes its secrets.
void relay_portal_close(struct relay_portal *portal);
