// SPDX-License-Identifier: Apache-2.0
// The configuration read once more while a daemon serves, from the same sources: the file as it is
// now, and the command line and environment as they were.
//
// Secrets of the command line and the environment were wiped there, and no file can replace them:
// they are held, which is to say that they are left out, and the daemon goes on with those that it
// has. Options of which the table says that they are not reloaded count from the next start on.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/siphash.h"
#include "daemon/daemon_errors.h"
#include "daemon/daemon_load.h"

enum {
    DAEMON_RELOAD_LINE_MAX = 128, // bytes of a change that waits
    DAEMON_RELOAD_TEXT_MAX = DAEMON_ERRORS_TEXT_MAX + CONF_OPTION_MAX * DAEMON_RELOAD_LINE_MAX,
};

struct daemon_reload {
    struct daemon_load_sources sources;
    const struct conf_table *table;
    struct siphash_key key;
    uint64_t digests[CONF_OPTION_MAX]; // of each option's values at the start
    bool is_held[CONF_OPTION_MAX];     // it is secret, and given outside the file
    // Of the last reading.
    struct daemon_load load;
    bool takes_restart[CONF_OPTION_MAX]; // it has changed, but is not reloaded
};

// Remembers what `load` has read, before it is closed. The sources outlive it.
void daemon_reload_init(struct daemon_reload *reload, const struct daemon_load *load);

// Its values were wiped: those that the daemon has stay.
bool daemon_reload_is_held(const struct daemon_reload *reload, const char *name);

// Reads all sources and has them judged. True: the configuration is good, and
// reload->takes_restart says of which options it does not count now. False:
// reload->load.conf.errors says why. In any case daemon_reload_end() is due.
MUST_USE bool daemon_reload_read(struct daemon_reload *reload, daemon_load_fn judge, void *context);
// Logs what is wrong with what was read, or which changes count from the next start on.
void daemon_reload_log(const struct daemon_reload *reload, const char *program);
// Writes the same, a line for each, in DAEMON_RELOAD_TEXT_MAX bytes.
void daemon_reload_write(const struct daemon_reload *reload, const char *program, struct wr *wr);
// Wipes what was read.
void daemon_reload_end(struct daemon_reload *reload);
