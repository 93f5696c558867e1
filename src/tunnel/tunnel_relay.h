// SPDX-License-Identifier: Apache-2.0
// The first thread of `fairlead-tunnel relay`: opens all, gives up root, starts the other threads,
// and then has the broker, the signals and the end.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "daemon/daemon_ctl.h"
#include "daemon/daemon_drain.h"
#include "daemon/daemon_notify.h"
#include "daemon/daemon_reload.h"
#include "daemon/daemon_watchdog.h"
#include "daemon/daemon_web.h"
#include "io/io_loop.h"
#include "tunnel/tunnel_answer.h"
#include "tunnel/tunnel_board.h"
#include "tunnel/tunnel_broker.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_otlp.h"

struct tunnel_relay {
    struct io_loop loop;
    struct io_watch signals;
    struct tunnel_broker broker;
    struct tunnel_board board;
    struct io_tls_context *tls;
    enum tunnel_folder_relay speaks; // with those; it stays when they are reloaded
    struct daemon_web web;
    struct tunnel_otlp otlp;
    struct daemon_ctl ctl;
    struct tunnel_answer answer;
    struct daemon_notify notify;
    struct daemon_reload *reload; // the caller's, set before it runs
    bool keeps_here; // likewise: in ./relay_state, without having been told to (tunnel_first.h)
    struct daemon_drain drain;
    struct daemon_watchdog watchdog;
    atomic_bool is_draining; // for the web thread
};

// Opens everything, gives up root, and logs what fails; nothing serves yet. `config` is borrowed
// until this returns. It does not move until it is closed. 0 or -errno.
MUST_USE int tunnel_relay_open(struct tunnel_relay *relay, const struct tunnel_config *config);
// Also after an opening that failed. Once.
void tunnel_relay_close(struct tunnel_relay *relay);

// Serves until a signal ends it. True: it ended as it should.
MUST_USE bool tunnel_relay_run(struct tunnel_relay *relay);
