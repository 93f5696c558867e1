// SPDX-License-Identifier: Apache-2.0
// A change of the configuration while the relay serves: read, handed out to all workers at once,
// and told to those who have asked for it over the control socket.
//
//      NONE --asked for--> ON ITS WAY --all workers have taken it--> NONE
//        ^                   |   ^  `--asked for again: it begins once more then
//        `--wrong------------'   `--a worker takes too long: that is told, and waited for
//
// All functions are for the control thread.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/now.h"
#include "daemon/daemon_ctl.h"
#include "daemon/daemon_drain.h"
#include "daemon/daemon_notify.h"
#include "relay/relay_crew.h"
#include "relay/relay_reload.h"

struct relay_change {
    struct relay_crew *crew;
    struct daemon_notify *notify;
    struct daemon_ctl *ctl;
    struct daemon_drain *drain;  // which has the timeout of the configuration
    struct relay_reload *reload; // set before the first change
    uint64_t since_ns;           // when the last one began; NEVER: none is on its way
    bool is_late;                // some worker has not taken it in time, which has been said
    bool is_due;                 // another one was asked for meanwhile
    bool is_wrong;               // nothing has come of the last one, which nobody has been told yet
    uint64_t count;              // of those that have begun: the ticket of the last one
    size_t words_len;            // what there is to say of what the last one has read
    uint8_t words[DAEMON_RELOAD_TEXT_MAX];
};

// All of these outlive it.
void relay_change_init(struct relay_change *change, struct relay_crew *crew,
                       struct daemon_notify *notify, struct daemon_ctl *ctl,
                       struct daemon_drain *drain);

// Begins one, or has it begin when the last one is over, once the workers run. What comes of it is
// logged, and told to those who wait at the control socket with the ticket that this returns. 0:
// nothing is changed any more, since the relay ends.
uint64_t relay_change_begin(struct relay_change *change);

// Looks whether all workers have taken it, and says so. When it is to be called again (monotonic
// ns), or NEVER.
uint64_t relay_change_tick(struct relay_change *change, struct now now);
