// SPDX-License-Identifier: Apache-2.0
// What the relay serves over HTTP: what each daemon does (daemon_web.h), with its own readiness and
// metrics (relay_metrics.h), and
//
//     demo      GET /                    the demo page (relay_demo.h)
#pragma once

#include "daemon/daemon_web.h"
#include "relay/relay_config.h"
#include "relay/relay_demo.h"
#include "relay/relay_scrape.h"
#include "relay/relay_status.h"
#include "relay/relay_worker.h"

struct relay_web {
    struct daemon_web daemon;
    struct relay_status *status; // NULL: it is not open
    struct relay_scrape scrape;  // of metrics and of the demo page
    struct relay_demo demo;
    struct addr demo_bound; // ADDR_NONE: it is not served
};

// Descriptors that it needs for a configuration.
uint64_t relay_web_descriptors(const struct relay_config *config);

// Listens at the addresses of `config`, which is borrowed until this returns, and logs which; root
// may be needed. `status` and `share` outlive it. It is all zero before, and does not move. 0 or
// -errno, which is logged: an address that is not given but usual, and taken, is none.
MUST_USE int relay_web_open(struct relay_web *web, const struct relay_config *config,
                            struct relay_status *status, const struct relay_worker_share *share);
// Closing twice, what was never opened, or what failed to open does nothing.
void relay_web_close(struct relay_web *web);
