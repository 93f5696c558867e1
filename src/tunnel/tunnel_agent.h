// SPDX-License-Identifier: Apache-2.0
// A server's side of a relay: the control connection, and the reverse connections that it asks for
// (revtun_agent.h decides), which a service is given.
//
//      tunnel_dial --> io_tls --> revtun_agent --> tunnel_dial --> service
//      control connection        new_connection    reverse connection
#pragma once

#include "io/io_tls.h"
#include "revtun/revtun_agent.h"
#include "tunnel/tunnel_dial.h"
#include "tunnel/tunnel_place.h"
#include "tunnel/tunnel_side.h"
#include "tunnel/tunnel_words.h"

// What is done with the connections by which clients come.
struct tunnel_service {
    // `fd` is connected, non-blocking and the callee's. tunnel_agent_ended() is to follow.
    void (*begin)(void *context, int fd);
    // The program ends: all of them are to end, soon.
    void (*end)(void *context);
    void *context;
};

struct tunnel_agent_config {
    struct tunnel_place relay;
    struct bytes keys;      // directory
    const char *relay_name; // which the relay's certificate must be for; or NULL
    struct revtun_agent_config core;
};

// Zeroed before it is opened; it does not move then.
struct tunnel_agent {
    struct tunnel_side *side;
    struct tunnel_agent_config config;
    struct tunnel_service service;
    struct revtun_agent core;
    struct io_tls_context *certificates;
    struct tunnel_host relay;
    struct tunnel_host reverse;
    struct tunnel_dial dial; // of the control connection
    struct io_tls control;
    struct tunnel_timer control_timer; // of its handshake and its end
    struct tunnel_list calls;          // reverse connections that are being dialled
    uint64_t quiet_ns;                 // until then no further failed connection is told
    bool is_refused;                   // the relay, in the handshake, by us
    bool is_ended;
    char published[REVTUN_CONFIG_HOST_MAX + 8]; // what was told last
    char keys_text[512];
    char trouble[TUNNEL_WORDS_MAX]; // what has become of the control connection
};

// Begins. False, which is told: it cannot.
MUST_USE bool tunnel_agent_open(struct tunnel_agent *agent, struct tunnel_side *side,
                                const struct tunnel_agent_config *config,
                                const struct tunnel_service *service);
void tunnel_agent_close(struct tunnel_agent *agent);

// A connection that the service was given has ended.
void tunnel_agent_ended(struct tunnel_agent *agent);
// Tells of a connection that has failed, one in a while of many.
void tunnel_agent_complain(struct tunnel_agent *agent, const char *words);
