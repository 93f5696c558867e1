// SPDX-License-Identifier: Apache-2.0
// The configuration read once more while the relay serves (daemon_reload.h).
//
// Secrets that no source can give any more stay as they are, and so does what the relay has made up
// itself.
#pragma once

#include <stdbool.h>

#include "daemon/daemon_reload.h"
#include "relay/relay_config.h"
#include "relay/relay_demo.h"
#include "relay/relay_load.h"
#include "turn/turn_policy.h"

struct relay_reload {
    struct daemon_reload daemon;
    bool has_made_user;            // by the relay itself, since no credential was given
    bool has_made_stamp;           // likewise the stamp secret
    const struct relay_demo *demo; // whose secret stays; NULL: none
    // Of the last reading.
    struct relay_config config;
    struct turn_config turn;
    struct turn_user kept_users[CONF_VALUE_MAX];
    struct bytes kept_secrets[TURN_CONFIG_SECRET_COUNT];
};

// Remembers what the relay was started with: `load`, which is not closed yet, and `config` with
// what the relay has made up.
void relay_reload_init(struct relay_reload *reload, const struct relay_load *load,
                       const struct relay_config *config);

// Reads all sources. True: reload->config and reload->turn have what counts from now on, where
// `turn` may follow `policy` and borrows from it. False: relay_reload_log() says why. In any case
// relay_reload_end() is due.
MUST_USE bool relay_reload_read(struct relay_reload *reload, const struct turn_policy *policy);
// Logs what is wrong with what was read, or which changes count from the next start on.
void relay_reload_log(const struct relay_reload *reload);
// Writes the same, a line for each, in DAEMON_RELOAD_TEXT_MAX bytes.
void relay_reload_write(const struct relay_reload *reload, struct wr *wr);
// Wipes what was read.
void relay_reload_end(struct relay_reload *reload);
