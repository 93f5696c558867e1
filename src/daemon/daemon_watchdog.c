// SPDX-License-Identifier: Apache-2.0
#include "daemon/daemon_watchdog.h"

#include <assert.h>

#include "log/log.h"

enum { TRIES = 8 }; // so often late workers are looked for before the manager loses patience

void daemon_watchdog_init(struct daemon_watchdog *watchdog, const struct daemon_notify *notify,
                          const char *late)
{
    *watchdog = (struct daemon_watchdog){.notify = notify, .late = late, .due_ns = NEVER};
}

void daemon_watchdog_start(struct daemon_watchdog *watchdog)
{
    watchdog->due_ns = watchdog->notify->watchdog_ns > 0 ? 0 : NEVER;
}

bool daemon_watchdog_tick(struct daemon_watchdog *watchdog, uint32_t missing, struct now now)
{
    const uint64_t interval_ns = watchdog->notify->watchdog_ns;

    if (now.mono_ns < watchdog->due_ns) {
        return false;
    }
    assert(interval_ns > 0);
    if (missing == 0) {
        daemon_notify_alive(watchdog->notify);
    } else if (!watchdog->is_late) {
        LOG_ERROR(watchdog->late, LOG_NUMBER("workers", missing));
    }
    watchdog->is_late = missing > 0;
    watchdog->due_ns = now.mono_ns + (missing == 0 ? interval_ns : interval_ns / TRIES);
    return missing == 0;
}
