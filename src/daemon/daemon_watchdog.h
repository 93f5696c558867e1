// SPDX-License-Identifier: Apache-2.0
// Signs of life for a service manager that watches, but only while all of the daemon is alive: a
// worker that hangs starves it (daemon_pulse.h).
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "base/now.h"
#include "daemon/daemon_notify.h"

struct daemon_watchdog {
    const struct daemon_notify *notify;
    const char *late; // what is logged when workers do not answer
    uint64_t due_ns;  // when to look again; NEVER: nobody watches
    bool is_late;     // it has been logged
};

// Nothing is due yet. What is pointed to outlives it.
void daemon_watchdog_init(struct daemon_watchdog *watchdog, const struct daemon_notify *notify,
                          const char *late);
// The daemon serves: the manager is told from the next tick on, if it watches.
void daemon_watchdog_start(struct daemon_watchdog *watchdog);

// Does what is due; so many workers have not answered what they were asked last. True: the manager
// was told, and the caller asks all workers once more.
MUST_USE bool daemon_watchdog_tick(struct daemon_watchdog *watchdog, uint32_t missing,
                                   struct now now);
