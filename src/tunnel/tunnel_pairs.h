// SPDX-License-Identifier: Apache-2.0
// Version 1 of the relay, in the broker's thread: listens at pairs of ports, asks revtun_relay what
// to do with whoever comes, and does that.
//
//      server --TLS--> control port --> tunnel_controls --.
//      client -------> public port ---> tunnel_conns -----+--> revtun_relay --> tunnel_crew
//      server -------> reverse port --> tunnel_conns -----'
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "revtun/revtun_outbox.h"
#include "revtun/revtun_relay.h"
#include "tunnel/tunnel_config.h"
#include "tunnel/tunnel_conns.h"
#include "tunnel/tunnel_means.h"

// A listening port of a pair.
struct tunnel_pairs_port {
    struct io_accept_at at;
    struct tunnel_pairs *pairs;
    uint32_t pair;
};

struct tunnel_pairs {
    struct tunnel_means means;
    struct revtun_config limits;
    void *memory; // of the core
    struct revtun_relay *core;
    struct tunnel_pairs_port *reverse_ports; // by pair
    struct tunnel_pairs_port *public_ports;
    struct tunnel_conns conns;
    struct pool_ref *links; // by the control connection's number: what the core calls it
    uint64_t crowded_count; // clients that were reset, since there were too many of both versions
    uint32_t broken[REVTUN_OUTBOX_MAX]; // control connections that could not take a line
    uint32_t broken_count;
};

// Listens, and logs what cannot be. It is all zero before, and does not move until it is closed,
// which is due in any case. 0 or -errno.
MUST_USE int tunnel_pairs_open(struct tunnel_pairs *pairs, const struct tunnel_config *config,
                               const struct tunnel_means *means);
// The crew is stopped, and the listeners are closed.
void tunnel_pairs_close(struct tunnel_pairs *pairs);

// What tunnel_controls has told of a connection that speaks version 1.
void tunnel_pairs_up(struct tunnel_pairs *pairs, uint32_t number, const struct addr *peer);
void tunnel_pairs_received(struct tunnel_pairs *pairs, uint32_t number, struct bytes bytes);
void tunnel_pairs_down(struct tunnel_pairs *pairs, uint32_t number);

// A session of the crew, below limits.max_sessions, has ended.
void tunnel_pairs_ended(struct tunnel_pairs *pairs, struct pool_ref ref,
                        const struct tunnel_session *session);

// Goes on with another configuration, of which ports, sessions and waiting clients in all stay as
// they are.
void tunnel_pairs_adopt(struct tunnel_pairs *pairs, const struct tunnel_config *config);

// No new clients from now on.
void tunnel_pairs_drain(struct tunnel_pairs *pairs);

// Clients that wait or have a session.
uint32_t tunnel_pairs_busy(const struct tunnel_pairs *pairs);

// Does what is due. When it is to be called next (monotonic ns), or NEVER.
uint64_t tunnel_pairs_tick(struct tunnel_pairs *pairs);
