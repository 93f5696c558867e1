// SPDX-License-Identifier: Apache-2.0
// The control thread: opens all, gives up root, starts the workers and the other threads, and has
// the signals and the news of everybody from then on.
//
// It sees no packet, and no worker waits for it but for the fast path's lock.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/macro.h"
#include "daemon/daemon_ctl.h"
#include "daemon/daemon_drain.h"
#include "daemon/daemon_notify.h"
#include "daemon/daemon_watchdog.h"
#include "io/io_loop.h"
#include "relay/relay_answer.h"
#include "relay/relay_change.h"
#include "relay/relay_config.h"
#include "relay/relay_crew.h"
#include "relay/relay_otlp.h"
#include "relay/relay_portal.h"
#include "relay/relay_status.h"
#include "relay/relay_web.h"

struct relay_control {
    struct io_loop loop;
    struct relay_crew crew;
    struct relay_status status;
    struct relay_web web;
    struct relay_otlp otlp;
    struct relay_portal portal;
    struct io_watch signals;
    struct io_watch news; // of the status
    bool has_crew;        // its opening was tried
    struct daemon_drain drain;
    struct daemon_notify notify;
    struct daemon_ctl ctl;
    struct relay_answer answer; // what it tells
    struct daemon_watchdog watchdog;
    struct relay_change change; // the caller sets change.reload before it runs
    bool is_refused;            // the portal will have it no more: exit status 1
};

// Opens everything, gives up root, and logs what fails; nothing serves yet. `config` is borrowed
// until this returns. It does not move until it is closed. 0 or -errno.
MUST_USE int relay_control_open(struct relay_control *control, const struct relay_config *config);
// Also after an opening that failed. Once.
void relay_control_close(struct relay_control *control);

// Serves until a signal comes or something fails, which is logged. True: it ended as it should.
MUST_USE bool relay_control_run(struct relay_control *control);
