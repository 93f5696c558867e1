// SPDX-License-Identifier: Apache-2.0
// An agent of version 2: its control connections to a relay (revtun_spoke.h decides), and those for
// its clients (tunnel_calls.h).
//
//      tunnel_dial --> io_tls --> revtun_spoke --> tunnel_calls --> service
//      control connection         new_connection   data connection
#pragma once

#include "io/io_tls.h"
#include "revtun/revtun_spoke.h"
#include "revtun/revtun_token.h"
#include "tunnel/tunnel_calls.h"
#include "tunnel/tunnel_dial.h"
#include "tunnel/tunnel_place.h"
#include "tunnel/tunnel_side.h"
#include "tunnel/tunnel_words.h"

enum { TUNNEL_SPOKE_EXIT_REPLACED = 3 }; // exit status: another process has taken its name

struct tunnel_spoke_config {
    struct tunnel_place relay;
    const char *relay_name;    // which the relay's certificate must be for; NULL: relay.host
    struct revtun_token token; // if has_token; else there is a certificate
    bool has_token;
    const char *ca;                  // file; NULL: the system's CAs, if the token has no pin
    const char *certificate;         // file; or NULL
    const char *key;                 // file; or NULL
    uint32_t drain_timeout_s;        // for clients that are there when it is told to end
    struct revtun_spoke_config core; // but for what makes it this process's: see _open()
    struct revtun_spoke_service services[REVTUN_SPOKE_SERVICE_MAX];
    struct tunnel_calls_target targets[REVTUN_SPOKE_SERVICE_MAX];
};

struct tunnel_spoke;

// A control connection.
struct tunnel_spoke_line {
    struct tunnel_spoke *spoke;
    uint32_t link;
    struct tunnel_dial dial;
    struct io_tls tls;
    struct tunnel_timer timer; // of its handshake and its end
    bool is_shaking;           // its handshake is under way
    bool is_refused;           // the relay, in the handshake, by us
    bool is_lost;              // which the core is to hear
};

// Zeroed before it is opened; it does not move then.
struct tunnel_spoke {
    struct tunnel_side *side;
    const struct tunnel_spoke_config *config;
    void *memory; // of the core
    struct revtun_spoke *core;
    struct io_tls_context *certificates;      // of control connections
    struct io_tls_context *data_certificates; // of data connections in TLS
    struct tunnel_host relay;
    struct tunnel_spoke_line lines[REVTUN_SPOKE_LINK_MAX];
    struct tunnel_calls calls;
    bool is_settling;
    bool is_ended;
    bool is_told[REVTUN_SPOKE_SERVICE_MAX]; // where clients find it
    char at[REVTUN_SPOKE_SERVICE_MAX][REVTUN_MESSAGE_AT_MAX + 1];
    char trouble[TUNNEL_WORDS_MAX]; // what has become of a control connection
    char denied[TUNNEL_WORDS_MAX];  // why the only service is not reachable, for good
};

// Begins. The configuration is borrowed. False, which is told: it cannot.
MUST_USE bool tunnel_spoke_open(struct tunnel_spoke *spoke, struct tunnel_side *side,
                                struct tunnel_spoke_config *config);
// Cuts the clients that are left, by resets, and tells how many.
void tunnel_spoke_close(struct tunnel_spoke *spoke);
