// SPDX-License-Identifier: Apache-2.0
// The demo page: a browser calls itself through the relay, and sees what that is like.
//
//     GET /, /demo.css, /demo.js    the page (demo/)
//     POST /credentials             {"iceServers":[...]}, which hold for an hour
//     GET /figures                  what the relay has counted, and how many allocations there are
//
// It is served on loopback alone, to requests that name this machine as their Host, and its
// credentials are made of a secret that this start of the relay has made up.
#pragma once

#include "base/addr.h"
#include "relay/relay_config.h"
#include "relay/relay_scrape.h"
#include "relay/relay_snapshot.h"
#include "web/web_site.h"

enum {
    RELAY_DEMO_SECRET_LEN = 32, // characters: 128 random bits in hexadecimal
    RELAY_DEMO_ROUTE_COUNT = 5,
};

struct relay_demo {
    struct addr server; // where the browser finds the relay
    uint8_t secret[RELAY_DEMO_SECRET_LEN];
    bool has_secret; // the page is served
    struct relay_scrape *scrape;
};

// Their context is a struct relay_demo.
extern const struct web_route relay_demo_routes[RELAY_DEMO_ROUTE_COUNT];

// Gives a configuration that serves the page a secret for it, which is written to `secret`: the
// caller's, to wipe when the configuration is no longer needed. Otherwise nothing happens.
void relay_demo_make_secret(struct relay_config *config, uint8_t secret[RELAY_DEMO_SECRET_LEN]);

// Keeps what the page needs of the configuration. `scrape`, which its figures are of, outlives it.
void relay_demo_init(struct relay_demo *demo, const struct relay_config *config,
                     struct relay_scrape *scrape);
// Adds its secret to those of a configuration that was read again, where it is borrowed, if the
// page is served and there is room for one more.
void relay_demo_lend_secret(const struct relay_demo *demo, struct relay_config *config);
// Wipes the secret.
void relay_demo_deinit(struct relay_demo *demo);

// What POST /credentials answers at that time.
void relay_demo_credential_write(struct wr *wr, const struct relay_demo *demo, int64_t wall_s);
// What GET /figures answers.
void relay_demo_figures_write(struct wr *wr, const struct relay_snapshot *snapshot);
