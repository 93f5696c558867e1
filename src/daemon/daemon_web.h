// SPDX-License-Identifier: Apache-2.0
// The web thread: what a daemon serves over HTTP, each site at an address of its own.
//
//     health    GET /healthz             200 as long as this thread lives
//               GET /readyz              200, or 503 and why no new clients should be sent
//     control   POST /log_filter         ?directives=DIRECTIVES: 200, or 400 and what is wrong
//     metrics   GET /metrics             Prometheus' text
//
// and what the daemon adds. It has a thread, so that no flood of packets delays an answer and no
// flood of requests a packet.
//
//     daemon_web_open(&web, &config->daemon, &subject)      as root, perhaps
//     daemon_web_serve(&web, "demo", &place, &site, &bound)  a further site
//     daemon_web_start(&web)                                 as nobody
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

#include "daemon/daemon_config.h"
#include "io/io_loop.h"
#include "io/io_thread.h"
#include "web/web_server.h"

enum { DAEMON_WEB_DESCRIPTORS = WEB_SERVER_DESCRIPTORS + 2 }; // that it has at most

// What is told; called in the web thread.
struct daemon_web_subject {
    const char *(*why_unready)(void *context); // a line with its end; NULL: it is ready
    // In Prometheus' text; there is room for WEB_CONNECTION_BODY_MAX bytes.
    void (*metrics_write)(void *context, struct wr *wr);
    void *context;
};

struct daemon_web {
    struct daemon_web_subject subject;
    struct addr bound[DAEMON_CONFIG_SITE_COUNT]; // ADDR_NONE: it is not served
    struct web_site sites[WEB_SERVER_LISTENER_MAX];
    size_t site_count;
    bool is_open;              // something is served
    struct web_server *server; // large, and mostly never touched
    struct io_loop loop;
    struct io_watch bell; // rings when it is to stop
    atomic_bool is_over;
    struct io_thread thread;
};

// Listens where the configuration says, and logs that; root may be needed. It is all zero before,
// and does not move. 0 or -errno, which is logged: an address that is not given but usual, and
// taken, is none. daemon_web_close() is due in any case.
MUST_USE int daemon_web_open(struct daemon_web *web, const struct daemon_config *config,
                             const struct daemon_web_subject *subject);
// Listens for one more site, if the place has an address; `name` is for the log. Before the thread
// is started. *bound is where it is served, untouched if it is not. As daemon_web_open().
MUST_USE int daemon_web_serve(struct daemon_web *web, const char *name,
                              const struct daemon_config_place *place, const struct web_site *site,
                              struct addr *bound);
// Closing twice, or what was never opened but is all zero, does nothing.
void daemon_web_close(struct daemon_web *web);

// Starts the thread, if anything is served. 0 or -errno, which is logged.
MUST_USE int daemon_web_start(struct daemon_web *web);
// Stops it, and waits until it has. Nothing happens if it does not run.
void daemon_web_stop(struct daemon_web *web);
