// SPDX-License-Identifier: Apache-2.0
// Clients of a little server that speaks TLS with them itself, from end to end: the relay between
// carries what it cannot read. Each must show a certificate of the application's CA.
//
// Whoever does not finish the handshake, or stands still for too long while something is due, is
// dropped.
#pragma once

#include <stddef.h>

#include "io/io_tls.h"
#include "tunnel/tunnel_agent.h"
#include "tunnel/tunnel_side.h"

enum {
    TUNNEL_VISITORS_HANDSHAKE_S = 10,
    TUNNEL_VISITORS_WAIT_S = 30,
};

struct tunnel_visitor;
struct tunnel_visitors;

// What the server does with them; never called for one that has ended. Only the last may be NULL.
struct tunnel_visitors_events {
    size_t own_size; // bytes of the server's own for each, zeroed at first; 0: none
    void (*opened)(struct tunnel_visitor *visitor); // the handshake is over; nothing is due
    void (*received)(struct tunnel_visitor *visitor, struct bytes bytes);
    void (*drained)(struct tunnel_visitor *visitor);
    void (*half_closed)(struct tunnel_visitor *visitor);
    void (*ended)(struct tunnel_visitor *visitor);
};

struct tunnel_visitor {
    struct io_tls tls;
    struct tunnel_visitors *visitors;
    struct tunnel_link link;
    struct tunnel_timer timer;
    max_align_t own[]; // the server's
};

// Zeroed before it is opened.
struct tunnel_visitors {
    struct tunnel_side *side;
    struct tunnel_agent *agent;
    const struct tunnel_visitors_events *events;
    struct io_tls_context *certificates;
    struct tunnel_list list;
    void *context; // the server's
};

// Reads the certificates. False, which is told: it cannot.
MUST_USE bool tunnel_visitors_open(struct tunnel_visitors *visitors, struct tunnel_side *side,
                                   struct tunnel_agent *agent, struct bytes folder,
                                   const struct tunnel_visitors_events *events);
// Drops all.
void tunnel_visitors_close(struct tunnel_visitors *visitors);

// A service of tunnel_agent.
struct tunnel_service tunnel_visitors_service(struct tunnel_visitors *visitors);

// Its time begins: it is dropped unless this, or _rest(), is called again in
// TUNNEL_VISITORS_WAIT_S.
void tunnel_visitors_wait(struct tunnel_visitor *visitor);
// Nothing is due: it may stand still.
void tunnel_visitors_rest(struct tunnel_visitor *visitor);
// Sends what waits, and ends.
void tunnel_visitors_leave(struct tunnel_visitor *visitor);
