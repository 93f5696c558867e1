// SPDX-License-Identifier: Apache-2.0
// Data connections in TLS that come to the relay: their handshake, and the preface behind it.
//
//      SHAKING --opened--> PREFACING --64 bytes--> data()
//         `---------------------`----> a reset, or what is left of the handshake
//
// Timers: SHAKING lasts TUNNEL_SEALED_SHAKE_S at most, PREFACING TUNNEL_SEALED_PREFACE_S.
//
// There are TUNNEL_SEALED_MAX places, of which one address has TUNNEL_SEALED_ADDRESS_MAX: when an
// address has its share its oldest one goes, and when all are taken the oldest of all. How often
// one may begin says tunnel_handshakes.h, but for addresses from which an agent is connected: that
// may have as many as it has clients.
//
// What comes behind a preface is left in the connection, for whoever gets it.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/heap.h"
#include "base/now.h"
#include "io/io_loop.h"
#include "io/io_stream.h"
#include "io/io_tls.h"
#include "revtun/revtun_preface.h"
#include "tunnel/tunnel_crowd.h"
#include "tunnel/tunnel_handshakes.h"

// By ALPN.
#define TUNNEL_SEALED_PROTOCOL "tlsrelay-data/2"

enum {
    TUNNEL_SEALED_SHAKE_S = 10,
    TUNNEL_SEALED_PREFACE_S = 3,
    TUNNEL_SEALED_MAX = 512, // so that all handshakes together hold 32 MB at most
    // More than there may be clients that wait for one agent, which dials for all of them at once.
    TUNNEL_SEALED_ADDRESS_MAX = 256,
};

// The stream is the callee's, who may add others.
struct tunnel_sealed_events {
    void (*data)(void *context, struct io_stream stream, const struct addr *from,
                 const uint8_t raw[REVTUN_PREFACE_LEN]);
    // One does not come so far, for this reason.
    void (*refused)(void *context, const struct addr *from, const char *why);
    // An agent that has proven itself is connected from there.
    bool (*is_known)(void *context, const struct addr *from);
};

enum tunnel_sealed_state {
    TUNNEL_SEALED_FREE,
    TUNNEL_SEALED_SHAKING,
    TUNNEL_SEALED_PREFACING,
};

struct tunnel_sealed;

struct tunnel_sealed_one {
    struct tunnel_sealed *sealed;
    enum tunnel_sealed_state state;
    uint32_t next_free;
    struct addr from;
    struct io_tls tls;               // SHAKING
    struct io_watch watch;           // PREFACING
    struct io_tls_channel *channel;  // likewise
    uint8_t raw[REVTUN_PREFACE_LEN]; // likewise: what has come of it
    uint32_t raw_len;
};

struct tunnel_sealed {
    struct io_loop *loop;
    const struct tunnel_sealed_events *events;
    void *context;
    struct tunnel_handshakes handshakes; // set by the owner
    uint32_t first_free;
    struct tunnel_crowd crowd; // of all
    uint64_t failed_count;     // whose handshake failed, or that ended before their preface
    uint64_t late_count;       // that took too long
    uint64_t displaced_count;  // that others took the place of
    uint64_t crowded_count;    // whose handshake did not even begin
    void *timers_memory;
    struct heap timers;
    struct tunnel_sealed_one *places;
};

// Without a limit of handshakes. It is all zero before, and does not move until it is closed. 0 or
// -ENOMEM.
MUST_USE int tunnel_sealed_open(struct tunnel_sealed *sealed, struct io_loop *loop,
                                const struct tunnel_sealed_events *events, void *context);
// Closes all. Closing twice, or what is all zero, does nothing.
void tunnel_sealed_close(struct tunnel_sealed *sealed);

// Takes over a connection that was accepted, which is to shake hands with these certificates; or
// resets it.
void tunnel_sealed_add(struct tunnel_sealed *sealed, struct now now,
                       struct io_tls_context *certificates, int fd, const struct addr *from);

// Ends those whose time is over. When it is to be called next (monotonic ns), or NEVER.
uint64_t tunnel_sealed_tick(struct tunnel_sealed *sealed, struct now now);
