// SPDX-License-Identifier: Apache-2.0
// Connections of which nobody knows yet what they are: their first bytes tell (docs/
// tunnel-protocol.md, "One port").
//
//      TLS whose ClientHello offers data connections in TLS -------------> sealed()
//      other TLS at the control port, whose ClientHello is whole --------> tls()
//      TLS at the shared port, whose ClientHello offers an agent's ALPN --> tls()
//      any other TLS at the shared port ---------------------------------> client(), with its host
//      a preface of version 2 -------------------------------------------> data()
//      anything else, or nothing in time --------------------------------> a reset
//
// All but a preface is only looked at (MSG_PEEK): whoever gets the connection finds it whole.
//
// There are TUNNEL_PREVIEWS_MAX places, of which one address has TUNNEL_PREVIEWS_ADDRESS_MAX: when
// an address has its share its oldest one goes, and when all are taken the oldest of all. Timers:
// from its accept a connection has TUNNEL_PREVIEWS_FIRST_S at the control port, and
// TUNNEL_PREVIEWS_HELLO_S at the shared one; a preface that has begun TUNNEL_PREVIEWS_HELLO_S.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/heap.h"
#include "base/now.h"
#include "io/io_loop.h"
#include "revtun/revtun_hello.h"
#include "revtun/revtun_preface.h"
#include "tunnel/tunnel_crowd.h"

enum {
    TUNNEL_PREVIEWS_FIRST_S = 10,
    TUNNEL_PREVIEWS_HELLO_S = 3,
    TUNNEL_PREVIEWS_MAX = 1024,
    // More than there may be clients that wait for one agent, which dials for all of them at once.
    TUNNEL_PREVIEWS_ADDRESS_MAX = 256,
};

// What becomes of one; the descriptor is the callee's, who may add others.
struct tunnel_previews_events {
    void (*tls)(void *context, int fd, const struct addr *from);
    void (*sealed)(void *context, int fd, const struct addr *from); // NULL: there are none
    void (*client)(void *context, int fd, const struct addr *from, struct bytes host);
    void (*data)(void *context, int fd, const struct addr *from,
                 const uint8_t raw[REVTUN_PREFACE_LEN]);
};

struct tunnel_previews;

struct tunnel_preview {
    struct io_watch watch; // fd -1: the place is free
    struct tunnel_previews *previews;
    struct addr from;
    uint32_t next_free;
    bool is_shared;
    bool has_begun; // as a preface
};

struct tunnel_previews {
    struct io_loop *loop;
    const struct tunnel_previews_events *events;
    void *context;
    uint32_t first_free;
    struct tunnel_crowd crowd; // of all
    uint64_t unknown_count;    // that were reset: what they are is not known
    uint64_t late_count;       // likewise: they took too long
    uint64_t displaced_count;  // likewise: others took their place
    void *timers_memory;
    struct heap timers;
    struct tunnel_preview places[TUNNEL_PREVIEWS_MAX];
    uint8_t received[REVTUN_HELLO_MAX];
    uint8_t scratch[REVTUN_HELLO_MAX];
};

// It is all zero before, and does not move until it is closed. 0 or -ENOMEM.
MUST_USE int tunnel_previews_open(struct tunnel_previews *previews, struct io_loop *loop,
                                  const struct tunnel_previews_events *events, void *context);
// Closes all. Closing twice, or what is all zero, does nothing.
void tunnel_previews_close(struct tunnel_previews *previews);

// Takes over a connection that was accepted at the shared port, or at the control port. What it is
// may be told at once.
void tunnel_previews_add(struct tunnel_previews *previews, struct now now, int fd,
                         const struct addr *from, bool is_shared);

// Resets those whose time is over. When it is to be called next (monotonic ns), or NEVER.
uint64_t tunnel_previews_tick(struct tunnel_previews *previews, struct now now);
